import type { Bundle } from "../bundle/bundle.ts";
import type { PreparedMount } from "../bundle/overlays.ts";
import type { RuntimePrograms } from "./runtime-programs.ts";

/**
 * Mounts what comes in threes before `--`, then becomes what comes after. `$0` is mount(8). The exit code says nothing:
 * that the runtime has not started is seen by its missing log.
 */
const SCRIPT =
  'while [ "$1" != -- ]; do "$0" -i -t "$1" -o "$2" "$1" "$3" || exit 1; shift 3; done; shift; exec "$@"';

/**
 * runc refuses to start where no cgroup file system is mounted. An empty read-only one in the run's own mount namespace
 * contents it.
 */
const CGROUP_MOUNT: PreparedMount = { type: "cgroup2", options: "ro", target: "/sys/fs/cgroup" };

/**
 * The command line that runs a bundle so that nothing of it outlives us: setpriv asks the kernel to kill unshare when
 * we die, `--kill-child` passes that on, and runc is the first process of a PID namespace, with which every
 * process of the container goes. The same holds for stopping it: killing runc ends all. The overlays are mounted in a
 * mount namespace that goes with them, so no crash leaves a mount behind.
 *
 * The namespace needs a /proc of its own, because runc looks up its children there. `--rootless=true` lets runc do
 * without a cgroup that it may not make, also where we are root.
 */
export function runtimeCommand(
  programs: RuntimePrograms,
  bundle: Pick<Bundle, "id" | "folder" | "stateDir" | "logFile" | "mounts">,
  host: { readonly hasCgroups: boolean },
): readonly string[] {
  const mounts = host.hasCgroups ? bundle.mounts : [CGROUP_MOUNT, ...bundle.mounts];
  return [
    ...[programs.setpriv, "--pdeathsig", "KILL", "--"],
    ...[programs.unshare, "--pid", "--fork", "--kill-child=KILL", "--mount-proc"],
    // A cgroup file system can be mounted in a user namespace only with a cgroup namespace of its own.
    ...(host.hasCgroups ? ["--"] : ["--cgroup", "--"]),
    ...["/bin/sh", "-c", SCRIPT, programs.mount],
    ...mounts.flatMap(({ type, options, target }) => [type, options, target]),
    "--",
    ...[programs.runc, "--root", bundle.stateDir, "--log", bundle.logFile, "--log-format", "json"],
    ...["--rootless=true", "run", "--bundle", bundle.folder, bundle.id],
  ];
}
