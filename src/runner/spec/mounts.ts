import type { HostFacts } from "../host/host-facts.ts";
import { isKernelUpTo } from "../host/kernel-release.ts";
import type { SandboxMount, SandboxSpec } from "../types.ts";
import type { RuntimeMount } from "./oci-runtime.ts";

/** Paths of what was made for one run. All absolute. */
export interface BundlePaths {
  /** Where the root overlay is mounted when the runtime starts. */
  readonly rootfs: string;
  readonly resolvConf: string;
  readonly hosts: string;
  /** What the overlays among the extra mounts show, by their place in the list. */
  readonly overlaySources: ReadonlyMap<number, string>;
}

/** All mounts in the order that the runtime makes them: Docker's defaults, then the extra ones as they are listed. */
export function createMounts(
  spec: SandboxSpec,
  facts: HostFacts,
  paths: BundlePaths,
): readonly RuntimeMount[] {
  return [
    ...createDefaultMounts(spec.shmSizeBytes),
    createSysMount(spec, facts),
    ...createCgroupMount(spec, facts),
    bindText(paths.resolvConf, "/etc/resolv.conf"),
    bindText(paths.hosts, "/etc/hosts"),
    ...spec.mounts.map((mount, index) => {
      const source = paths.overlaySources.get(index) ?? "";
      return createExtraMount(mount, source, recursiveReadOnly(facts));
    }),
  ];
}

const SECURE: readonly string[] = ["nosuid", "noexec", "nodev"];

function createDefaultMounts(shmSizeBytes: number): readonly RuntimeMount[] {
  return [
    { destination: "/proc", type: "proc", source: "proc", options: SECURE },
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
      options: [...SECURE, "mode=1777", `size=${shmSizeBytes}`],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: SECURE },
  ];
}

/**
 * sysfs belongs to a network namespace: in a user namespace it can be mounted only with a network namespace of
 * our own, so that with the host's network the host's /sys is shown instead.
 */
function createSysMount(spec: SandboxSpec, facts: HostFacts): RuntimeMount {
  if (facts.inUserNamespace && spec.network === "host") {
    const options = ["rbind", ...SECURE, spec.insecure ? "rw" : recursiveReadOnly(facts)];
    return { destination: "/sys", type: "bind", source: "/sys", options };
  }
  const options = [...SECURE, spec.insecure ? "rw" : "ro"];
  return { destination: "/sys", type: "sysfs", source: "sysfs", options };
}

/**
 * Language runtimes read their memory limit there. Where the host's /sys is shown it also covers control groups
 * that our user may write to.
 */
function createCgroupMount(spec: SandboxSpec, facts: HostFacts): readonly RuntimeMount[] {
  if (!facts.cgroups.isMounted) return [];
  const options = [...SECURE, "relatime", spec.insecure ? "rw" : "ro"];
  return [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options }];
}

/** A plain "ro" leaves what is mounted below a source as writable as it was; the kernel can do better from 5.12 on. */
function recursiveReadOnly(facts: HostFacts): "rro" | "ro" {
  return isKernelUpTo(facts.kernelRelease, [5, 11]) ? "ro" : "rro";
}

function bindText(source: string, destination: string): RuntimeMount {
  return { destination, type: "bind", source, options: ["rbind", ...SECURE, "ro"] };
}

function createExtraMount(mount: SandboxMount, overlaySource: string, readonly: "rro" | "ro"): RuntimeMount {
  switch (mount.kind) {
    case "bind":
    case "overlay": {
      const source = mount.kind === "bind" ? mount.source : overlaySource;
      const options = ["rbind", mount.readonly ? readonly : "rw"];
      return { destination: mount.target, type: "bind", source, options };
    }
    case "tmpfs": {
      const size = mount.sizeBytes === undefined ? [] : [`size=${mount.sizeBytes}`];
      return { destination: mount.target, type: "tmpfs", source: "tmpfs", options: ["nosuid", ...size] };
    }
    default:
      return mount satisfies never;
  }
}
