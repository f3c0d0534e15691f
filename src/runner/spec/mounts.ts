import type { HostFacts } from "../host/host-facts.ts";
import type { SandboxMount, SandboxSpec } from "../types.ts";
import type { RuntimeMount } from "./oci-runtime.ts";
import { overlayOptions } from "./overlay-options.ts";

/** Paths of what was written for one run. All absolute. */
export interface BundlePaths {
  /** The bundle's empty folder on which the runtime mounts the overlay. */
  readonly rootfs: string;
  /** Folders of the root overlay, top first, short enough for one page of mount options. */
  readonly lower: readonly string[];
  readonly resolvConf: string;
  readonly hosts: string;
  /** Lower folders of the overlays among the extra mounts, by their place in the list. */
  readonly mountLower: ReadonlyMap<number, readonly string[]>;
}

/**
 * Where an overlay of which only a part is shown is mounted meanwhile: the last of the default mounts hides it.
 * So nothing needs a mount of our own that a crash could leave behind.
 */
const STAGE = "/sys";

/** All mounts in the order that the runtime makes them: the root, Docker's defaults, the extra ones, /sys. */
export function createMounts(
  spec: SandboxSpec,
  facts: HostFacts,
  paths: BundlePaths,
): readonly RuntimeMount[] {
  const before: RuntimeMount[] = [];
  const after: RuntimeMount[] = [];
  spec.mounts.forEach((mount, index) => {
    const list = isBelow(mount.target, STAGE) ? after : before;
    list.push(...createExtraMount(mount, paths.mountLower.get(index) ?? [], paths.rootfs));
  });
  return [
    {
      destination: "/",
      type: "overlay",
      source: "overlay",
      options: overlayOptions({ lower: paths.lower, upper: spec.upper, work: spec.work }),
    },
    ...defaultMounts(spec.shmSizeBytes),
    bindReadOnly(paths.resolvConf, "/etc/resolv.conf"),
    bindReadOnly(paths.hosts, "/etc/hosts"),
    ...before,
    createSysMount(spec, facts),
    ...createCgroupMount(spec, facts),
    ...after,
  ];
}

function defaultMounts(shmSizeBytes: number): readonly RuntimeMount[] {
  const secure = ["nosuid", "noexec", "nodev"];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: secure },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: [...secure, "mode=1777", `size=${shmSizeBytes}`],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: secure },
  ];
}

/**
 * sysfs belongs to a network namespace: in a user namespace it can be mounted only with a network namespace of
 * our own, so that with the host's network the host's /sys is shown instead.
 */
function createSysMount(spec: SandboxSpec, facts: HostFacts): RuntimeMount {
  const options = ["nosuid", "noexec", "nodev", spec.insecure ? "rw" : "ro"];
  if (facts.inUserNamespace && spec.network === "host")
    return { destination: "/sys", type: "bind", source: "/sys", options: ["rbind", ...options] };
  return { destination: "/sys", type: "sysfs", source: "sysfs", options };
}

/**
 * Language runtimes read their memory limit there. Where the host's /sys is shown it also covers control groups
 * that our user may write to.
 */
function createCgroupMount(spec: SandboxSpec, facts: HostFacts): readonly RuntimeMount[] {
  if (!facts.cgroups.isMounted) return [];
  const options = ["nosuid", "noexec", "nodev", "relatime", spec.insecure ? "rw" : "ro"];
  return [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options }];
}

function bindReadOnly(source: string, destination: string): RuntimeMount {
  return { destination, type: "bind", source, options: ["rbind", "nosuid", "noexec", "nodev", "ro"] };
}

function createExtraMount(
  mount: SandboxMount,
  lower: readonly string[],
  rootfs: string,
): readonly RuntimeMount[] {
  switch (mount.kind) {
    case "bind":
      return [
        {
          destination: mount.target,
          type: "bind",
          source: mount.source,
          options: ["rbind", mount.readonly ? "ro" : "rw"],
        },
      ];
    case "tmpfs": {
      const size = mount.sizeBytes === undefined ? [] : [`size=${mount.sizeBytes}`];
      return [{ destination: mount.target, type: "tmpfs", source: "tmpfs", options: ["nosuid", ...size] }];
    }
    case "overlay": {
      const overlay = {
        type: "overlay",
        source: "overlay",
        options: [...overlayOptions({ lower, upper: mount.upper, work: mount.work })],
      };
      if (mount.subpath === "/" && !mount.readonly) return [{ destination: mount.target, ...overlay }];
      return [
        { destination: STAGE, ...overlay },
        {
          destination: mount.target,
          type: "bind",
          source: `${rootfs}${STAGE}${mount.subpath === "/" ? "" : mount.subpath}`,
          options: ["rbind", mount.readonly ? "ro" : "rw"],
        },
      ];
    }
    default:
      return mount satisfies never;
  }
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
