import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runtimeCommand } from "../../../src/runner/process/runtime-command.ts";

const BUNDLE = { id: "strake-run-x", folder: "/b", stateDir: "/b/state", logFile: "/b/log", mounts: [] };
const MOUNTS = [
  { type: "overlay", options: "lowerdir=/a:/b", target: "/r" },
  { type: "overlay", options: "lowerdir=/a b", target: "/$(x)" },
];

/** The command with programs that write down how they were called, and setpriv and unshare left out. */
function trace(mount: string, mounts: typeof MOUNTS): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "strake-test-"));
  const log = join(folder, "log");
  const script = (name: string, end: string): string => {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name}" "$@" >> ${log}\n${end}\n`, { mode: 0o755 });
    return join(folder, name);
  };
  const programs = {
    setpriv: "setpriv",
    unshare: "unshare",
    mount: script("mount", mount),
    runc: script("runc", "exit 7"),
  };
  const argv = runtimeCommand(programs, { ...BUNDLE, mounts }, { hasCgroups: true });
  try {
    execFileSync("/bin/sh", argv.slice(argv.indexOf("/bin/sh") + 1), { stdio: "ignore" });
    return [];
  } catch (error) {
    const { status } = error as { readonly status: number };
    return [...readFileSync(log, "utf8").trimEnd().split("\n"), `exit ${status}`];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("runtimeCommand() mounts everything in order, whatever the names, and becomes the runtime", () => {
  expect(trace("", MOUNTS)).toEqual([
    "mount -i -t overlay -o lowerdir=/a:/b overlay /r",
    "mount -i -t overlay -o lowerdir=/a b overlay /$(x)",
    "runc --root /b/state --log /b/log --log-format json --rootless=true run --bundle /b strake-run-x",
    "exit 7",
  ]);
});

test("runtimeCommand() starts no runtime when a mount fails", () => {
  expect(trace("exit 32", MOUNTS)).toEqual(["mount -i -t overlay -o lowerdir=/a:/b overlay /r", "exit 1"]);
});

test("runtimeCommand() dies with its parent, and has a cgroup file system mounted where there is none", () => {
  const programs = { setpriv: "/setpriv", unshare: "/unshare", mount: "/mount", runc: "/runc" };
  const argv = runtimeCommand(programs, BUNDLE, { hasCgroups: false });
  expect(argv.slice(0, 10)).toEqual([
    ...["/setpriv", "--pdeathsig", "KILL", "--"],
    ...["/unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--cgroup"],
  ]);
  expect(argv.join(" ")).toContain("/mount cgroup2 ro /sys/fs/cgroup -- /runc");
});
