import { writeBundle } from "./bundle/bundle.ts";
import { RunnerError } from "./error.ts";
import { OutputGate } from "./process/output-gate.ts";
import { runProcess } from "./process/run-process.ts";
import { readRuntimeFailure, toRunnerError } from "./process/runtime-failure.ts";
import { findRuntimePrograms, type RuntimePrograms, runtimeCommand } from "./process/runtime-programs.ts";
import { type HostFacts, readHostFacts } from "./spec/host-facts.ts";
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
  let found: { readonly programs: RuntimePrograms; readonly facts: HostFacts } | undefined;
  return {
    async run(spec, runOptions) {
      runOptions.signal?.throwIfAborted();
      found ??= { programs: findRuntimePrograms(options.searchPath), facts: readHostFacts() };
      return runInContainer(spec, runOptions, {
        ...found,
        tempDir: options.tempDir,
        searchPath: options.searchPath,
        resolvConf: options.resolvConf ?? "/etc/resolv.conf",
      });
    },
  };
}

interface Host {
  readonly programs: RuntimePrograms;
  readonly facts: HostFacts;
  readonly tempDir: string;
  readonly searchPath: string;
  readonly resolvConf: string;
}

async function runInContainer(
  spec: SandboxSpec,
  options: SandboxRunOptions,
  host: Host,
): Promise<SandboxResult> {
  using bundle = writeBundle(spec, host);
  const { folder, stateDir, logFile } = bundle;
  const argv = runtimeCommand(host.programs, {
    bundle: folder,
    stateDir,
    logFile,
    id: folder.slice(folder.lastIndexOf("/") + 1),
  });
  const gate = new OutputGate(options.onOutput);
  const result = await runProcess(argv, {
    env: { PATH: host.searchPath },
    signal: options.signal,
    onOutput: (stream, chunk) => gate.write(stream, chunk),
  });
  if (result.exitCode === 0) {
    gate.open();
    return { exitCode: 0 };
  }
  const failure = readRuntimeFailure(logFile);
  if (failure !== undefined) throw toRunnerError(failure, spec.argv[0] ?? "");
  gate.open();
  if (result.exitCode === null)
    throw new RunnerError(
      "RUNTIME_FAILED",
      `Cannot run "${spec.argv[0]}": the runtime was killed by ${result.signal}`,
    );
  return { exitCode: result.exitCode };
}
