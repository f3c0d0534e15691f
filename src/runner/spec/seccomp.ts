import { isKernelUpTo } from "../host/kernel-release.ts";
import type { RuntimeSeccomp, SeccompArgument, SeccompRule } from "./oci-runtime.ts";
import { ALLOWED_SYSCALLS, MACHINE_SYSCALLS } from "./seccomp-allowed.ts";
import { DENIED_SYSCALLS, LAST_KNOWN_KERNEL } from "./seccomp-denied.ts";

const ALLOW = "SCMP_ACT_ALLOW";
const ERRNO = "SCMP_ACT_ERRNO";
const EPERM = 1;
const ENOSYS = 38;

/** The machine's own calling convention, then those of the older programs that it also runs. By `process.arch`. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  ia32: ["SCMP_ARCH_X86"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
  arm: ["SCMP_ARCH_ARM"],
  ppc64: ["SCMP_ARCH_PPC64LE"],
  riscv64: ["SCMP_ARCH_RISCV64"],
  s390x: ["SCMP_ARCH_S390X", "SCMP_ARCH_S390"],
  loong64: ["SCMP_ARCH_LOONGARCH64"],
};

/** Whose calls `DENIED_SYSCALLS` covers. */
const FULLY_KNOWN: readonly string[] = ["x64", "ia32", "arm64", "arm"];

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET: the flags of clone(2) that make a namespace. */
const NAMESPACE_FLAGS = 0x7e020000;

/** Address families: AF_ALG reaches the kernel's ciphers, AF_VSOCK the hypervisor; AF_NFC is between them. */
const AF_ALG = 38;
const AF_NFC = 39;
const AF_VSOCK = 40;

/** Execution domains that a program may choose: Linux or 32-bit Linux, with its address space as it is now or as of old. */
const PERSONALITY_BITS = 0x20008;
const PERSONALITIES: readonly number[] = [0, 0x8, 0x20000, PERSONALITY_BITS];
/** personality(2) with this only asks. */
const PERSONALITY_QUERY = 0xffffffff;

export interface SeccompHost {
  /** Node's `process.arch`. */
  readonly architecture: string;
  /** As uname(2) has it, `6.1.0-18-amd64`. */
  readonly kernelRelease: string;
  /** What the container has: chroot is allowed only with CAP_SYS_CHROOT. */
  readonly capabilities: readonly string[];
}

/**
 * Docker's default filter: a call that it does not list fails with EPERM. Undefined for a machine that we have no
 * table for.
 *
 * libseccomp takes time with the square of the number of rules, for every container anew: 19 ms for Docker's list of
 * what is allowed on x86 (libseccomp 2.5.4), 4 ms for the complement, which is four times shorter. Both decide the same
 * as long as every call that the kernel has is in one of the tables; so a kernel that may have newer calls gets the
 * list of what is allowed. The third calling convention of x86, x32, is left out: Docker lists it, no distribution's
 * kernel has it switched on.
 */
export function createSeccompFilter(host: SeccompHost): RuntimeSeccomp | undefined {
  const architectures = ARCHITECTURES[host.architecture];
  if (architectures === undefined) return undefined;
  return FULLY_KNOWN.includes(host.architecture) && isKernelUpTo(host.kernelRelease, LAST_KNOWN_KERNEL)
    ? createDenyFilter(host, architectures)
    : createAllowFilter(host, architectures);
}

/** @internal exported for the test that both forms decide alike */
function createAllowFilter(host: SeccompHost, architectures: readonly string[]): RuntimeSeccomp {
  const names = [...ALLOWED_SYSCALLS, ...(MACHINE_SYSCALLS[host.architecture] ?? [])];
  if (hasChroot(host)) names.push("chroot");
  const allowIf = (name: string, argument: SeccompArgument): SeccompRule => ({
    names: [name],
    action: ALLOW,
    args: [argument],
  });
  return {
    defaultAction: ERRNO,
    defaultErrnoRet: EPERM,
    architectures,
    syscalls: [
      { names, action: ALLOW },
      ...[...PERSONALITIES, PERSONALITY_QUERY].map((value) => allowIf("personality", equals(0, value))),
      allowIf("socket", { index: 0, op: "SCMP_CMP_LT", value: AF_ALG }),
      allowIf("socket", equals(0, AF_NFC)),
      allowIf("socket", { index: 0, op: "SCMP_CMP_GT", value: AF_VSOCK }),
      allowIf("clone", maskedEquals(cloneFlagsIndex(host.architecture), NAMESPACE_FLAGS, 0)),
      CLONE3_UNKNOWN,
    ],
  };
}

/** @internal exported for the test that both forms decide alike */
function createDenyFilter(host: SeccompHost, architectures: readonly string[]): RuntimeSeccomp {
  const names = hasChroot(host) ? DENIED_SYSCALLS : [...DENIED_SYSCALLS, "chroot"];
  const denyIf = (name: string, argument: SeccompArgument): SeccompRule => ({
    names: [name],
    action: ERRNO,
    errnoRet: EPERM,
    args: [argument],
  });
  return {
    defaultAction: ALLOW,
    architectures,
    syscalls: [
      { names, action: ERRNO, errnoRet: EPERM },
      ...denyPersonality().map((argument) => denyIf("personality", argument)),
      denySocket(AF_ALG),
      denySocket(AF_VSOCK),
      // A rule can ask for all bits of a mask, not for any; so one for each bit.
      ...splitBits(NAMESPACE_FLAGS).map((bit) =>
        denyIf("clone", maskedEquals(cloneFlagsIndex(host.architecture), bit, bit)),
      ),
      CLONE3_UNKNOWN,
    ],
  };
}

/** A filter can't look into the structure that clone3 is given; with this answer a C library falls back to clone. */
const CLONE3_UNKNOWN: SeccompRule = { names: ["clone3"], action: ERRNO, errnoRet: ENOSYS };

/**
 * 32-bit x86 has two ways to a socket, and for socketcall libseccomp puts the kind of call in place of a rule's first
 * argument: a rule about the family alone would forbid every socket of a program that calls so. The second
 * argument tells them apart: a socket's type is below 2^20 (with other bits the kernel refuses it), where socketcall has
 * an address. Masks keep a program from hiding the family behind bits that the kernel drops.
 */
function denySocket(family: number): SeccompRule {
  return {
    names: ["socket"],
    action: ERRNO,
    errnoRet: EPERM,
    args: [maskedEquals(0, 0xffffffff, family), maskedEquals(1, 0xfff00000, 0)],
  };
}

/**
 * Everything but `PERSONALITIES` and the query, which has all bits: a foreign bit without the highest, and the highest
 * without any other.
 */
function denyPersonality(): readonly SeccompArgument[] {
  const highest = 0x80000000;
  const others = splitBits(0x7fffffff);
  return [
    ...others
      .filter((bit) => (bit & PERSONALITY_BITS) === 0)
      .map((bit) => maskedEquals(0, highest + bit, bit)),
    ...others.map((bit) => maskedEquals(0, highest + bit, highest)),
  ];
}

function splitBits(mask: number): readonly number[] {
  return Array.from({ length: 31 }, (_, bit) => 2 ** bit).filter((bit) => (mask & bit) !== 0);
}

function equals(index: number, value: number): SeccompArgument {
  return { index, op: "SCMP_CMP_EQ", value };
}

function maskedEquals(index: number, mask: number, value: number): SeccompArgument {
  return { index, op: "SCMP_CMP_MASKED_EQ", value: mask, valueTwo: value };
}

function cloneFlagsIndex(architecture: string): number {
  return architecture === "s390x" ? 1 : 0;
}

function hasChroot(host: SeccompHost): boolean {
  return host.capabilities.includes("CAP_SYS_CHROOT");
}
