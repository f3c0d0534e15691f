import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { findProgram } from "../../../src/runner/process/find-program.ts";
import { findRuntimePrograms } from "../../../src/runner/process/runtime-programs.ts";

const root = mkdtempSync(join(tmpdir(), "strake-test-"));
afterAll(() => rmSync(root, { recursive: true }));

function folder(name: string, files: Readonly<Record<string, number>>): string {
  const path = join(root, name);
  mkdirSync(path);
  for (const [file, mode] of Object.entries(files)) {
    writeFileSync(join(path, file), "");
    chmodSync(join(path, file), mode);
  }
  return path;
}

describe("findProgram()", () => {
  test("takes the first executable file of the name", () => {
    const plain = folder("plain", { tool: 0o644 });
    const one = folder("one", { tool: 0o755 });
    const two = folder("two", { tool: 0o755 });
    mkdirSync(join(root, "dir/tool"), { recursive: true });
    expect(findProgram("tool", `/missing:relative::${plain}:${join(root, "dir")}:${one}:${two}`)).toBe(
      `${one}/tool`,
    );
    expect(findProgram("tool", plain)).toBeUndefined();
    expect(findProgram("tool", "")).toBeUndefined();
  });

  test("passes over BusyBox", () => {
    const small = folder("small", { busybox: 0o755 });
    symlinkSync("busybox", join(small, "unshare"));
    const full = folder("full", { unshare: 0o755 });
    expect(findProgram("unshare", `${small}:${full}`)).toBe(`${full}/unshare`);
  });
});

describe("findRuntimePrograms()", () => {
  test("says which program is missing and how to get it", () => {
    const path = folder("without-runc", { unshare: 0o755, setpriv: 0o755, mount: 0o755 });
    expect(() => findRuntimePrograms(path)).toThrow(
      expect.objectContaining({
        code: "RUNTIME_MISSING",
        message: 'Cannot run a command: no "runc" in PATH',
        hint: "Install it: apt-get install runc",
      }),
    );
    expect(() =>
      findRuntimePrograms(folder("without-unshare", { runc: 0o755, setpriv: 0o755, mount: 0o755 })),
    ).toThrow(
      expect.objectContaining({ code: "RUNTIME_MISSING", hint: "Install it: apt-get install util-linux" }),
    );
  });
});
