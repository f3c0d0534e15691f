import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeTreeFolder } from "../../../src/builder/export/tree-folder.ts";
import type { ByteString } from "../../../src/oci/index.ts";
import { MergedTree } from "../../../src/store/layers/index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "strake-tree-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const NAME = Buffer.from("caf\xe9", "latin1");
const { signal } = new AbortController();

const below = (path: string, name: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${folder}/${path}/`), name]);

describe("writeTreeFolder()", () => {
  it("replaces a folder by a file whose name is no UTF-8, and dates it by the epoch", async () => {
    mkdirSync(join(folder, "layer"));
    writeFileSync(below("layer", NAME), "new");
    mkdirSync(join(folder, "out"));
    mkdirSync(below("out", NAME));
    writeFileSync(Buffer.concat([below("out", NAME), Buffer.from("/old")]), "old");
    const tree = new MergedTree([join(folder, "layer")]);
    const exported = { tree, platform: "linux/amd64", folder: "" as ByteString, epochSeconds: 1_700_000_000 };
    await writeTreeFolder(exported, join(folder, "out"), signal);
    expect(readdirSync(Buffer.from(join(folder, "out")), "latin1")).toEqual(["caf\xe9"]);
    const { mtimeMs, size } = statSync(below("out", NAME));
    expect([mtimeMs, size]).toEqual([1_700_000_000_000, 3]);
  });
});
