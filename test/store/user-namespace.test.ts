import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeScratch, startProgram } from "./support.ts";

const scratch = makeScratch();
const NOBODY = 65534;

/** Both ways of being root without being it: mapped from root, and mapped from a user without any rights. */
for (const [who, uid] of [
  ["the machine's root", undefined],
  ["an ordinary user", NOBODY],
] as const) {
  test.skipIf(!canUnshare(uid))(`the store works for ${who} as root of a user namespace`, async () => {
    chmodSync(scratch, 0o755);
    const home = join(scratch, `home-${uid ?? "root"}`);
    mkdirSync(home);
    if (uid !== undefined) chownSync(home, uid, uid);
    const root = join(home, "store");
    const command = ["unshare", "--user", "--map-root-user"];
    const options = { command, ...(uid === undefined ? {} : { uid }) };

    const killed = startProgram(scratch, "work-hard", [root, "killed"], options);
    await killed.waitForLines(8);
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(readdirSync(join(root, "tmp"))).toHaveLength(1);

    const finished = startProgram(scratch, "work-hard", [root, "finished", "2"], options);
    await expect(finished.ended).resolves.toBe(0);
    expect(finished.lines.filter((line) => line.startsWith("image "))).toHaveLength(2);
    expect(readdirSync(join(root, "tmp"))).toEqual([]);
    expect(readdirSync(join(root, "locks"))).toEqual([]);
  });
}

function canUnshare(uid: number | undefined): boolean {
  if (uid !== undefined && process.getuid?.() !== 0) return false;
  try {
    execFileSync("unshare", ["--user", "--map-root-user", "true"], {
      stdio: "ignore",
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    return true;
  } catch {
    return false;
  }
}
