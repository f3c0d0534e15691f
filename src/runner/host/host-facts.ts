import { readFileSync } from "node:fs";
import { release } from "node:os";
import { decodeCapabilityMask } from "./capability-mask.ts";
import { type CgroupFacts, readCgroupFacts } from "./cgroup-facts.ts";
import { parseHardLimits } from "./hard-limits.ts";

/** What the machine and our own process allow; a runtime spec asks for no more. */
export interface HostFacts {
  /** Node's `process.arch`: which system call tables seccomp filters need. */
  readonly architecture: string;
  /** As uname(2) has it. */
  readonly kernelRelease: string;
  /** Whether the kernel has seccomp filters. */
  readonly hasSeccomp: boolean;
  /** Names of the capabilities that we may hand on. */
  readonly capabilities: readonly string[];
  /** Hard limits by `--ulimit` name; Infinity for unlimited. */
  readonly hardLimits: ReadonlyMap<string, number>;
  /** Whether we are in a user namespace that is not the machine's first. */
  readonly inUserNamespace: boolean;
  readonly cgroups: CgroupFacts;
}

/** Reads them from /proc; cheap enough (0.2 ms) to be done for each sandbox. */
export function readHostFacts(): HostFacts {
  const status = readFileSync("/proc/self/status", "latin1");
  return {
    architecture: process.arch,
    kernelRelease: release(),
    hasSeccomp: /^Seccomp:/m.test(status),
    capabilities: decodeCapabilityMask(/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"),
    hardLimits: parseHardLimits(readFileSync("/proc/self/limits", "latin1")),
    inUserNamespace: !isInitialIdMap(readFileSync("/proc/self/uid_map", "latin1")),
    cgroups: readCgroupFacts(),
  };
}

/** Whether the text of a uid_map is the one of the machine's first user namespace: all ids onto themselves. */
function isInitialIdMap(text: string): boolean {
  return text.trim().split(/\s+/).join(" ") === "0 0 4294967295";
}
