import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readRuntimeFailure, toRunnerError } from "../../../src/runner/process/runtime-failure.ts";

const folder = mkdtempSync(join(tmpdir(), "strake-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("readRuntimeFailure()", () => {
  const read = (text: string): string | undefined => {
    const path = join(folder, "log");
    writeFileSync(path, text);
    return readRuntimeFailure(path);
  };

  test("finds no failure where there is no error, or a line cut short", () => {
    expect(read("")).toBeUndefined();
    expect(read('{"level":"warning","msg":"odd"}\n{"level":"err')).toBeUndefined();
  });

  test("prefers what runc ends with over what it complained of before", () => {
    const lines = [
      '{"level":"error","msg":"container_linux.go: cleanup"}',
      '{"level":"error","msg":"runc run failed: unable to start"}',
      '{"level":"error","msg":"after"}',
    ];
    expect(read(lines.join("\n"))).toBe("unable to start");
    expect(read(`${lines[0]}\n`)).toBe("container_linux.go: cleanup");
  });
});

describe("toRunnerError()", () => {
  const start = "unable to start container process: ";
  test.each([
    [
      `${start}exec: "/no": stat /no: no such file or directory`,
      "COMMAND_NOT_FOUND",
      'Cannot run "x": stat /no: no such file or directory',
    ],
    [
      `${start}exec: "no": executable file not found in $PATH`,
      "COMMAND_NOT_FOUND",
      'Cannot run "x": executable file not found in $PATH',
    ],
    [
      `${start}error during container init: exec: "a \\"b\\"": executable file not found in $PATH`,
      "COMMAND_NOT_FOUND",
      'Cannot run "x": executable file not found in $PATH',
    ],
    [
      `${start}exec: "/etc": permission denied`,
      "COMMAND_NOT_EXECUTABLE",
      'Cannot run "x": permission denied',
    ],
    [`${start}exec: "/etc": is a directory`, "COMMAND_NOT_EXECUTABLE", 'Cannot run "x": is a directory'],
    [
      `${start}error mounting "/a" to rootfs at "/b": no such file or directory`,
      "RUNTIME_FAILED",
      `Cannot set up the container for "x": ${start}error mounting "/a" to rootfs at "/b": no such file or directory`,
    ],
  ])("sorts %s", (failure, code, message) => {
    expect(toRunnerError(failure, "x")).toMatchObject({ code, message });
  });

  test.each([
    ["unshare: unshare failed: Operation not permitted\n", "CAP_SYS_ADMIN"],
    ["unshare: mount /proc failed: Operation not permitted\n", "systempaths=unconfined"],
    [
      "mount: /x/rootfs: wrong fs type, bad option, bad superblock on overlay, missing codepage\n",
      "STRAKE_ROOT",
    ],
    ["no cgroup mount found in mountinfo", "/sys/fs/cgroup"],
  ])("has a cure for %s", (failure, cure) => {
    expect(toRunnerError(failure, "x")).toMatchObject({
      code: "RUNTIME_FAILED",
      hint: expect.stringContaining(cure),
    });
  });
});
