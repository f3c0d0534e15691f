import { RunnerError } from "../error.ts";
import { findProgram } from "./find-program.ts";

/** Absolute paths of what a container is started with. */
export interface RuntimePrograms {
  readonly runc: string;
  readonly unshare: string;
  readonly setpriv: string;
}

/** Where each comes from, for the hint. */
const PACKAGES: Readonly<Record<keyof RuntimePrograms, string>> = {
  runc: "runc",
  unshare: "util-linux",
  setpriv: "util-linux",
};

/** @throws {RunnerError} RUNTIME_MISSING */
export function findRuntimePrograms(searchPath: string): RuntimePrograms {
  const find = (name: keyof RuntimePrograms): string => {
    const path = findProgram(name, searchPath);
    if (path !== undefined) return path;
    throw new RunnerError("RUNTIME_MISSING", `Cannot run a command: no "${name}" in PATH`, {
      hint: `Install it: apt-get install ${PACKAGES[name]}`,
    });
  };
  return { runc: find("runc"), unshare: find("unshare"), setpriv: find("setpriv") };
}

export interface RuntimeInvocation {
  /** Whether the runtime will find a cgroup file system. */
  readonly hasCgroups: boolean;
  readonly bundle: string;
  /** runc's own state; ours alone, so that no other user of runc sees the container. */
  readonly stateDir: string;
  readonly logFile: string;
  readonly id: string;
}

/**
 * The command line that runs a bundle so that nothing of it outlives us: setpriv asks the kernel to kill unshare when
 * we die, `--kill-child` passes that on, and runc is the first process of a PID namespace, with which every
 * process of the container goes. The same holds for stopping it: killing runc ends all.
 * The namespace needs a /proc of its own, because runc looks up its children there.
 *
 * `--rootless=true` lets runc do without a cgroup that it may not make, also where we are root.
 */
export function runtimeCommand(programs: RuntimePrograms, run: RuntimeInvocation): readonly string[] {
  return [
    ...[programs.setpriv, "--pdeathsig", "KILL", "--"],
    ...[programs.unshare, "--pid", "--fork", "--kill-child=KILL", "--mount-proc"],
    ...(run.hasCgroups ? ["--"] : ["--cgroup", "--", ...MOUNT_CGROUPS]),
    ...[
      programs.runc,
      "--root",
      run.stateDir,
      "--log",
      run.logFile,
      "--log-format",
      "json",
      "--rootless=true",
    ],
    ...["run", "--bundle", run.bundle, run.id],
  ];
}

/**
 * runc refuses to start where no cgroup file system is mounted. An empty read-only one in our own mount namespace
 * contents it.
 */
const MOUNT_CGROUPS: readonly string[] = [
  "/bin/sh",
  "-c",
  'mount -t cgroup2 -o ro cgroup2 /sys/fs/cgroup && exec "$@"',
  "sh",
];
