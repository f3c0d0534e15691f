import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "./source-files.ts";

interface PublishDist {
  createStaging(dist: string): Promise<string>;
  moveIn(staging: string, dist: string, files: readonly string[]): Promise<void>;
  finish(dist: string, written: readonly string[]): Promise<void>;
  listFiles(folder: string): Promise<readonly string[]>;
}

const script: string = pathToFileURL(join(ROOT, "scripts/publish-dist.mjs")).href;
const { createStaging, moveIn, finish, listFiles } = (await import(script)) as PublishDist;

describe("a build's files in dist/", () => {
  let folder: string;
  let dist: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "strake-publish-"));
    dist = join(folder, "dist");
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function publish(files: Readonly<Record<string, string>>): Promise<void> {
    const staging = await createStaging(dist);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(staging, file)), { recursive: true });
      writeFileSync(join(staging, file), text);
    }
    await moveIn(staging, dist, Object.keys(files));
    rmSync(staging, { recursive: true });
    await finish(dist, Object.keys(files));
  }

  const files = async (): Promise<readonly string[]> =>
    (await listFiles(dist)).filter((file) => file !== ".npmignore").toSorted();

  it("stay for one build more, so that a program that runs finds its chunks", async () => {
    await publish({ "index.js": "1", "chunk-a.js": "a" });
    await publish({ "index.js": "2", "chunk-b.js": "b" });
    expect(await files()).toEqual(["chunk-a.js", "chunk-b.js", "index.js"]);
    expect(readFileSync(join(dist, "index.js"), "utf8")).toBe("2");
    await publish({ "index.js": "3", "chunk-c.js": "c" });
    expect(await files()).toEqual(["chunk-b.js", "chunk-c.js", "index.js"]);
  });

  it("are all that a package takes from there", async () => {
    await publish({ "index.js": "1", "chunk-a.js": "a", "types/gone.d.ts": "" });
    await publish({ "index.js": "2", "chunk-b.js": "b", "types/deep/index.d.ts": "" });
    writeFileSync(join(dist, "stray.js"), "");
    const manifest = { name: "packed", version: "1.0.0", files: ["dist"] };
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    const printed = execFileSync("npm", ["pack", "--dry-run", "--json"], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [packed] = JSON.parse(printed) as [{ readonly files: readonly { readonly path: string }[] }];
    expect(packed.files.map(({ path }) => path).toSorted()).toEqual([
      "dist/chunk-b.js",
      "dist/index.js",
      "dist/types/deep/index.d.ts",
      "package.json",
    ]);
  });

  it("leave nothing of what no build wrote, nor of one that was killed", async () => {
    await publish({ "index.js": "1" });
    mkdirSync(join(dist, "old"));
    writeFileSync(join(dist, "old/stray.js"), "");
    const killed = await createStaging(dist);
    const running = await createStaging(dist);
    utimesSync(killed, 0, 0);
    await publish({ "index.js": "2" });
    expect(await files()).toEqual(["index.js"]);
    expect([join(dist, "old"), killed, running].map(existsSync)).toEqual([false, false, true]);
  });
});
