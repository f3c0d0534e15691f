import { writeBundle } from "./bundle/bundle.ts";
import { RunnerError } from "./error.ts";
import { type HostFacts, readHostFacts } from "./host/host-facts.ts";
import { OutputGate } from "./process/output-gate.ts";
import { removeCgroups, removeStaleCgroups } from "./process/remove-cgroups.ts";
import { runProcess } from "./process/run-process.ts";
import { readRuntimeFailure, toRunnerError } from "./process/runtime-failure.ts";
import { findRuntimePrograms, type RuntimePrograms, runtimeCommand } from "./process/runtime-programs.ts";
import type { Sandbox, SandboxResult, SandboxRunOptions, SandboxSpec } from "./types.ts";

export interface RuncSandboxOptions {
  /** Absolute; holds one folder for each run while it lasts. */
  readonly tempDir: string;
  /** Folders in which to look for runc, unshare and setpriv: the PATH of the environment. */
  readonly searchPath: string;
  /** The host's resolv.conf. */
  readonly resolvConf?: string;
}

/**
 * Runs commands in runc containers on an overlay that runc itself mounts. Works as root, and as "root" of a user
 * namespace (see `enterUserNamespace`). Any number of runs may go on at once.
 */
export function createRuncSandbox(options: RuncSandboxOptions): Sandbox {
  const { tempDir, searchPath, resolvConf = "/etc/resolv.conf" } = options;
  let host: Host | undefined;
  return {
    async run(spec, runOptions) {
      runOptions.signal?.throwIfAborted();
      host ??= openHost({ tempDir, searchPath, resolvConf });
      return runInContainer(spec, runOptions, host);
    },
  };
}

interface Host extends Required<RuncSandboxOptions> {
  readonly programs: RuntimePrograms;
  readonly facts: HostFacts;
}

/** What is looked up once, at the first run: a build whose steps are all cached needs none of it. */
function openHost(options: Required<RuncSandboxOptions>): Host {
  const programs = findRuntimePrograms(options.searchPath);
  const facts = readHostFacts();
  removeStaleCgroups(facts.cgroups.folders, Date.now());
  return { ...options, programs, facts };
}

async function runInContainer(
  spec: SandboxSpec,
  options: SandboxRunOptions,
  host: Host,
): Promise<SandboxResult> {
  const argv0 = spec.argv[0] ?? "";
  using bundle = writeBundle(spec, host);
  const gate = new OutputGate(options.onOutput);
  try {
    const { exitCode, signal } = await runProcess(
      runtimeCommand(host.programs, {
        id: bundle.id,
        bundle: bundle.folder,
        stateDir: bundle.stateDir,
        logFile: bundle.logFile,
        hasCgroups: host.facts.cgroups.isMounted,
      }),
      {
        env: { PATH: host.searchPath },
        signal: options.signal,
        onOutput: (stream, chunk) => gate.write(stream, chunk),
      },
    );
    const failure = exitCode === 0 ? undefined : readRuntimeFailure(bundle.logFile);
    if (failure !== undefined) throw toRunnerError(failure, argv0);
    gate.open();
    if (exitCode !== null) return { exitCode };
    throw new RunnerError("RUNTIME_FAILED", `Cannot run "${argv0}": the runtime was killed by ${signal}`);
  } catch (error) {
    removeCgroups(host.facts.cgroups.folders, bundle.id);
    throw error;
  }
}
