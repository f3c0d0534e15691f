import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DEFAULT_CAPABILITIES } from "../../../src/runner/spec/capabilities.ts";
import { createSeccompFilter } from "../../../src/runner/spec/seccomp.ts";
import { ALLOWED_SYSCALLS, MACHINE_SYSCALLS } from "../../../src/runner/spec/seccomp-allowed.ts";
import { DENIED_SYSCALLS } from "../../../src/runner/spec/seccomp-denied.ts";

const HOST = { architecture: "x64", kernelRelease: "6.1.0-18-amd64", capabilities: DEFAULT_CAPABILITIES };

/** In neither table, because their arguments decide. */
const RULED = ["clone", "clone3", "socket", "personality", "chroot"];

describe("the seccomp tables", () => {
  test("name no call twice", () => {
    const names = [...ALLOWED_SYSCALLS, ...DENIED_SYSCALLS, ...RULED];
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  const folder = "/usr/include/x86_64-linux-gnu/asm";
  test.skipIf(!existsSync(folder)).each(["unistd_64.h", "unistd_32.h"])(
    "together name every call of %s (skipped without the kernel's headers)",
    (header) => {
      const known = new Set([
        ...ALLOWED_SYSCALLS,
        ...DENIED_SYSCALLS,
        ...RULED,
        ...(MACHINE_SYSCALLS["x64"] ?? []),
      ]);
      const all = Array.from(
        readFileSync(`${folder}/${header}`, "utf8").matchAll(/^#define __NR_(\w+)/gm),
        ([, name = ""]) => name,
      );
      expect(all.length).toBeGreaterThan(300);
      expect(all.filter((name) => !known.has(name))).toEqual([]);
    },
  );
});

describe("createSeccompFilter()", () => {
  test.each(["6.1.0-18-amd64", "5.10.0", "6.18.44", "4.19.0"])(
    "denies by name on the kernel %s",
    (kernelRelease) => {
      expect(createSeccompFilter({ ...HOST, kernelRelease })?.defaultAction).toBe("SCMP_ACT_ALLOW");
    },
  );

  test.each(["6.19.0-rc1", "7.0.1", "strange"])(
    "allows by name on the kernel %s, which we may not know",
    (release) => {
      expect(createSeccompFilter({ ...HOST, kernelRelease: release })?.defaultAction).toBe("SCMP_ACT_ERRNO");
    },
  );

  test("allows by name on machines whose calls we don't all know", () => {
    expect(createSeccompFilter({ ...HOST, architecture: "riscv64" })?.defaultAction).toBe("SCMP_ACT_ERRNO");
    expect(createSeccompFilter({ ...HOST, architecture: "mips" })).toBeUndefined();
  });

  test("ties chroot to its capability in both forms", () => {
    for (const kernelRelease of ["6.1.0", "7.0.0"]) {
      const first = (capabilities: readonly string[]) =>
        createSeccompFilter({ ...HOST, kernelRelease, capabilities })?.syscalls[0]?.names.includes("chroot");
      const isAllowList = kernelRelease === "7.0.0";
      expect(first(["CAP_SYS_CHROOT"])).toBe(isAllowList);
      expect(first([])).toBe(!isAllowList);
    }
  });

  test("denies every execution domain but the usual five", () => {
    const rules = createSeccompFilter(HOST)?.syscalls.filter(({ names }) => names[0] === "personality") ?? [];
    const isDenied = (value: number): boolean =>
      rules.some(({ args = [] }) =>
        args.every(({ value: mask, valueTwo = 0 }) => (BigInt(value) & BigInt(mask)) === BigInt(valueTwo)),
      );
    for (const value of [0, 0x8, 0x20000, 0x20008, 0xffffffff])
      expect(isDenied(value), `${value}`).toBe(false);
    for (const value of [
      1, 2, 4, 0x9, 0x40000, 0x400000, 0x20009, 0x80000000, 0x80040000, 0xfffffffe, 0x7fffffff,
    ])
      expect(isDenied(value), `${value}`).toBe(true);
  });
});
