import { existsSync } from "node:fs";
import { writeBundle } from "./bundle/bundle.ts";
import { RunnerError } from "./error.ts";
import { type HostFacts, readHostFacts } from "./host/host-facts.ts";
import { OutputGate } from "./process/output-gate.ts";
import { removeCgroups, removeStaleCgroups } from "./process/remove-cgroups.ts";
import { runAttached } from "./process/run-attached.ts";
import { runProcess } from "./process/run-process.ts";
import { runtimeCommand } from "./process/runtime-command.ts";
import { readRuntimeFailure, toRunnerError } from "./process/runtime-failure.ts";
import { findRuntimePrograms, type RuntimePrograms } from "./process/runtime-programs.ts";
import { withoutStopNoise } from "./process/stop-noise.ts";
import type { Sandbox, SandboxResult, SandboxRunOptions, SandboxSpec } from "./types.ts";

export interface RuncSandboxOptions {
  /** Absolute; holds one folder for each run while it lasts. */
  readonly tempDir: string;
  /**
   * Absolute; holds what the runtime is told of each run while it lasts, among it the environment with its secrets. A
   * folder of ours alone on a file system in memory keeps that off the disk. `tempDir` when absent.
   */
  readonly memoryDir?: string;
  /** Folders in which to look for runc, unshare and setpriv: the PATH of the environment. */
  readonly searchPath: string;
  /** The host's resolv.conf. */
  readonly resolvConf?: string;
}

/**
 * Runs commands in runc containers, each on an overlay in a mount namespace of its own. Works as root, and as "root" of a user
 * namespace (see `enterUserNamespace`). Any number of runs may go on at once.
 */
export function createRuncSandbox(options: RuncSandboxOptions): Sandbox {
  const { tempDir, memoryDir, searchPath, resolvConf = "/etc/resolv.conf" } = options;
  let host: Host | undefined;
  return {
    async run(spec, runOptions) {
      runOptions.signal?.throwIfAborted();
      host ??= openHost({ tempDir, memoryDir, searchPath, resolvConf });
      return runInContainer(spec, runOptions, host);
    },
  };
}

interface HostOptions extends Required<Omit<RuncSandboxOptions, "memoryDir">> {
  readonly memoryDir: string | undefined;
}

interface Host extends HostOptions {
  readonly programs: RuntimePrograms;
  readonly facts: HostFacts;
}

/** What is looked up once, at the first run: a build whose steps are all cached needs none of it. */
function openHost(options: HostOptions): Host {
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
  using bundle = writeBundle(spec, { ...host, hasTerminal: options.attach?.terminal === true });
  // runc opens its log before it does anything else.
  const hasStarted = (): boolean => existsSync(bundle.logFile);
  const gate = new OutputGate(options.onOutput, hasStarted);
  const { isMounted: hasCgroups, folders } = host.facts.cgroups;
  try {
    const argv = runtimeCommand(host.programs, bundle, { hasCgroups });
    const common = { env: { PATH: host.searchPath, ...MOUNT_ENVIRONMENT }, signal: options.signal };
    const { exitCode, signal } =
      options.attach === undefined
        ? await runProcess(argv, {
            ...common,
            onOutput(stream, chunk) {
              const isStopped = options.signal?.aborted === true;
              const shown = isStopped ? withoutStopNoise(chunk) : chunk;
              if (shown.byteLength > 0) gate.write(stream, shown);
            },
          })
        : await runAttached(argv, { ...common, ...options.attach, searchPath: host.searchPath });
    if (exitCode !== 0) {
      const failure = hasStarted() ? readRuntimeFailure(bundle.logFile) : gate.heldText;
      if (failure !== undefined) throw toRunnerError(failure, argv0);
    }
    gate.open();
    if (exitCode !== null) return { exitCode };
    throw new RunnerError("RUNTIME_FAILED", `Cannot run "${argv0}": the runtime was killed by ${signal}`);
  } catch (error) {
    removeCgroups(folders, bundle.id);
    throw error;
  }
}

/** mount(8) from 2.39 on would pass options one by one, and the kernel takes at most 255 bytes of each that way. */
const MOUNT_ENVIRONMENT: Readonly<Record<string, string>> = { LIBMOUNT_FORCE_MOUNT2: "always" };
