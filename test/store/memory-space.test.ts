import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { MemorySpace } from "../../src/store/disk/memory-space.ts";
import { TempSpace } from "../../src/store/disk/temp-space.ts";
import { bindFlock } from "../../src/sys/flock.ts";

const memory = "/dev/shm";
const problem = existsSync(memory) ? "" : ` (skipped: no ${memory})`;

describe.skipIf(problem !== "")(`MemorySpace${problem}`, () => {
  const folders: string[] = [];

  function makeFolder(parent: string): string {
    const folder = mkdtempSync(join(parent, "memory-space-test-"));
    folders.push(folder);
    return folder;
  }

  function open(roots: readonly string[]): { space: MemorySpace; disk: string } {
    const disk = makeFolder(tmpdir());
    const fallback = new TempSpace(disk, bindFlock);
    return { space: new MemorySpace(roots, { calls: bindFlock, fallback }), disk };
  }

  /** The number of a process that has ended. */
  async function deadPid(): Promise<number> {
    const child = spawn("true");
    await once(child, "close");
    return child.pid ?? 0;
  }

  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  it("makes a folder for us alone in the first root that is in memory, and removes it on close", async () => {
    const root = makeFolder(memory);
    const { space } = open([makeFolder(tmpdir()), join(root, "missing"), root]);
    expect(readdirSync(root)).toEqual([]);
    const { dir } = space;
    expect(dir.startsWith(`${root}/strake-${process.pid}-`)).toBe(true);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(space.dir).toBe(dir);
    await space.close();
    expect(readdirSync(root)).toEqual([]);
  });

  it("takes the folder on disk where no root is in memory", () => {
    const { space, disk } = open([makeFolder(tmpdir()), "/nowhere"]);
    expect(space.dir.startsWith(`${disk}/`)).toBe(true);
  });

  it("sweeps what a dead process left, and nothing that is alive or not ours by its name", async () => {
    const root = makeFolder(memory);
    const dead = join(root, `strake-${await deadPid()}-abc123`);
    mkdirSync(dead);
    writeFileSync(join(dead, "secret"), "x");
    const others = ["strake-AbCdEf", "other-1-abc", `strake-${await deadPid()}-x y`];
    for (const name of others) mkdirSync(join(root, name));
    const alive = open([root]).space;
    const living = alive.dir;
    const { space } = open([root]);
    expect(space.looksAbandoned()).toBe(true);
    await space.cleanUp(new AbortController().signal);
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(living)).toBe(true);
    for (const name of others) expect(existsSync(join(root, name)), name).toBe(true);
    expect(space.looksAbandoned()).toBe(false);
    await alive.close();
  });
});
