import { accessSync, constants, readFileSync } from "node:fs";
import { resolve } from "node:path";

/** How control groups look to our process. */
export interface CgroupFacts {
  /** Our own group's folder in every hierarchy that is mounted; empty where no cgroup file system is. */
  readonly folders: readonly string[];
  /** Whether /sys/fs/cgroup is a cgroup file system or holds one: the runtime starts only then. */
  readonly isMounted: boolean;
  /**
   * Where the runtime is to make a container's group: below our own, so that limits on us hold for it too. Undefined
   * where the runtime does so by itself (version 1) or can't (no permission), which it may then ignore.
   */
  readonly parent: string | undefined;
}

export function readCgroupFacts(): CgroupFacts {
  return parseCgroupFacts({
    mountinfo: readFileSync("/proc/self/mountinfo", "utf8"),
    membership: readFileSync("/proc/self/cgroup", "utf8"),
    isWritable: isWritableFolder,
  });
}

const MOUNT_POINT = "/sys/fs/cgroup";

/** @param sources texts of /proc/self/mountinfo and /proc/self/cgroup, and a look at the disk */
export function parseCgroupFacts(sources: {
  readonly mountinfo: string;
  readonly membership: string;
  readonly isWritable: (folder: string) => boolean;
}): CgroupFacts {
  const own = parseMembership(sources.membership);
  const folders: string[] = [];
  let isMounted = false;
  let parent: string | undefined;
  for (const mount of parseCgroupMounts(sources.mountinfo)) {
    if (mount.point !== MOUNT_POINT && !mount.point.startsWith(`${MOUNT_POINT}/`)) continue;
    isMounted = true;
    const path = mount.controllers.map((name) => own.get(name)).find((found) => found !== undefined);
    const below = path === undefined ? undefined : relativeTo(path, mount.root);
    if (below === undefined) continue;
    const folder = resolve(mount.point, `.${below}`);
    folders.push(folder);
    if (mount.isVersion2 && mount.point === MOUNT_POINT && sources.isWritable(folder)) parent = below;
  }
  return { folders, isMounted, parent };
}

interface CgroupMount {
  readonly root: string;
  readonly point: string;
  readonly isVersion2: boolean;
  /** Names of controllers; "" for version 2, as /proc/self/cgroup has it. */
  readonly controllers: readonly string[];
}

/** Lines as `30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate`. */
function parseCgroupMounts(mountinfo: string): readonly CgroupMount[] {
  return mountinfo.split("\n").flatMap((line): readonly CgroupMount[] => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", point = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") return [{ root, point, isVersion2: true, controllers: [""] }];
    return type === "cgroup" ? [{ root, point, isVersion2: false, controllers: options.split(",") }] : [];
  });
}

/** Lines as `4:memory:/user.slice`, `0::/user.slice`. */
function parseMembership(text: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    for (const name of match?.[1]?.split(",") ?? []) paths.set(name, match?.[2] ?? "/");
  }
  return paths;
}

function relativeTo(path: string, root: string): string | undefined {
  if (root === "/") return path;
  if (path === root) return "/";
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
}

function isWritableFolder(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false; // not ours, mounted read-only, or not there in this namespace
  }
}
