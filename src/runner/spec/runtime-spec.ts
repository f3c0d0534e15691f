import type { SandboxSpec } from "../types.ts";
import { DEFAULT_CAPABILITIES } from "./capabilities.ts";
import type { HostFacts } from "./host-facts.ts";
import { type BundlePaths, createMounts } from "./mounts.ts";
import type { CapabilitySet, RuntimeSpec } from "./oci-runtime.ts";
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

export interface RuntimeSpecHost {
  readonly facts: HostFacts;
  readonly paths: BundlePaths;
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
      terminal: false,
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
      maskedPaths: spec.insecure ? [] : MASKED_PATHS,
      readonlyPaths: spec.insecure ? [] : READONLY_PATHS,
    },
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
