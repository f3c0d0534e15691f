import { join } from "node:path";
import type { HostFacts } from "../host/host-facts.ts";
import type { SandboxSpec } from "../types.ts";
import { DEFAULT_CAPABILITIES } from "./capabilities.ts";
import { type BundlePaths, createMounts } from "./mounts.ts";
import type { CapabilitySet, RuntimeDevice, RuntimeLinux, RuntimeSpec } from "./oci-runtime.ts";
import { createRlimits } from "./rlimits.ts";
import { createSeccompFilter } from "./seccomp.ts";

/** What Docker hides from a container: kernel secrets and switches. */
const MASKED_PATHS: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];

const READONLY_PATHS: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

const UMASK = 0o022;

/** What an insecure step finds in /dev beyond the usual: enough for FUSE, virtual machines, tunnels and disk images. */
const INSECURE_DEVICES: readonly RuntimeDevice[] = [
  { path: "/dev/kmsg", type: "c", major: 1, minor: 11 },
  { path: "/dev/fuse", type: "c", major: 10, minor: 229 },
  { path: "/dev/kvm", type: "c", major: 10, minor: 232 },
  { path: "/dev/net/tun", type: "c", major: 10, minor: 200 },
  { path: "/dev/loop-control", type: "c", major: 10, minor: 237 },
  ...Array.from(
    { length: 8 },
    (_, minor): RuntimeDevice => ({ path: `/dev/loop${minor}`, type: "b", major: 7, minor }),
  ),
];

export interface RuntimeSpecHost {
  readonly facts: HostFacts;
  readonly paths: BundlePaths;
  /** The container's id, which also names its cgroup. */
  readonly id: string;
  /** Whether the command gets a terminal; it has none when absent. */
  readonly hasTerminal?: boolean;
}

/**
 * The OCI runtime spec for a command: Docker's defaults for a build step. Pure.
 * @see https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config.md
 */
export function createRuntimeSpec(spec: SandboxSpec, host: RuntimeSpecHost): RuntimeSpec {
  const { facts, paths } = host;
  const capabilities = createCapabilities(spec, facts);
  const seccomp =
    spec.insecure || !facts.hasSeccomp
      ? undefined
      : createSeccompFilter({ ...facts, capabilities: capabilities.bounding });
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: host.hasTerminal === true,
      user: { uid: spec.uid, gid: spec.gid, umask: UMASK, additionalGids: spec.additionalGids },
      args: spec.argv,
      env: spec.env,
      cwd: spec.cwd,
      capabilities,
      rlimits: createRlimits(spec.ulimits, {
        hardLimits: facts.hardLimits,
        mayRaise: !facts.inUserNamespace && facts.capabilities.includes("CAP_SYS_RESOURCE"),
      }),
      noNewPrivileges: false,
    },
    root: { path: paths.rootfs, readonly: false },
    hostname: spec.hostname,
    mounts: createMounts(spec, facts, paths),
    linux: {
      namespaces: [
        { type: "pid" },
        { type: "ipc" },
        { type: "uts" },
        { type: "mount" },
        ...(spec.network === "none" ? [{ type: "network" }] : []),
      ],
      ...(seccomp !== undefined && { seccomp }),
      ...createCgroup(spec, host),
      maskedPaths: spec.insecure ? [] : MASKED_PATHS,
      readonlyPaths: spec.insecure ? [] : READONLY_PATHS,
    },
  };
}

/**
 * Device files may be made by a step but, apart from the harmless ones that the runtime always allows, not used:
 * without the rule root in the container could read the host's disks. In a user namespace nobody can make them.
 */
function createCgroup(
  spec: SandboxSpec,
  { facts, id }: RuntimeSpecHost,
): Pick<RuntimeLinux, "resources" | "cgroupsPath" | "devices"> {
  if (facts.inUserNamespace) return {};
  const { parent } = facts.cgroups;
  return {
    ...(parent !== undefined && { cgroupsPath: join(parent, id) }),
    resources: { devices: [{ allow: spec.insecure, access: "rwm" }] },
    ...(spec.insecure && { devices: INSECURE_DEVICES }),
  };
}

/**
 * Docker sets no ambient or inheritable capabilities: a command of another user than root starts without any.
 * An insecure step gets all that we have ourselves, in every set.
 */
function createCapabilities(
  spec: SandboxSpec,
  facts: HostFacts,
): Readonly<Record<CapabilitySet, readonly string[]>> {
  const granted = spec.insecure
    ? facts.capabilities
    : DEFAULT_CAPABILITIES.filter((name) => facts.capabilities.includes(name));
  const inherited = spec.insecure ? granted : [];
  return {
    bounding: granted,
    effective: granted,
    permitted: granted,
    inheritable: inherited,
    ambient: inherited,
  };
}
