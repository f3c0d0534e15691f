import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf, MEDIA_TYPES } from "../../../src/oci/index.ts";
import { openLayerFile } from "../../../src/store/transports/index.ts";
import { collect } from "../../support/collect.ts";
import { tarOf } from "../../support/image-archives.ts";

describe("openLayerFile()", () => {
  let folder = "";
  const tar = tarOf([{ name: "file", content: "x".repeat(100_000) }]);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "strake-layer-file-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const open = (name: string, content: Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return openLayerFile(join(folder, name), { shown: name, tempFolder: () => folder });
  };

  it("compresses a plain tar, always to the same bytes", async () => {
    const first = await open("plain.tar", tar);
    expect(first.diffId).toBe(digestOf(tar));
    expect(first.descriptor.mediaType).toBe(MEDIA_TYPES.ociLayerGzip);
    const bytes = await collect(await first.open({ offset: 0 }));
    expect(digestOf(bytes)).toBe(first.descriptor.digest);
    expect(bytes.length).toBe(first.descriptor.size);
    expect(gunzipSync(bytes).equals(tar)).toBe(true);
    expect((await open("again.tar", tar)).descriptor).toEqual(first.descriptor);
    expect((await collect(await first.open({ offset: 10 }))).equals(bytes.subarray(10))).toBe(true);
  });

  it("takes a compressed one as it is", async () => {
    const compressed = gzipSync(tar, { level: 1 });
    const layer = await open("layer.tgz", compressed);
    expect(layer).toMatchObject({
      diffId: digestOf(tar),
      descriptor: {
        mediaType: MEDIA_TYPES.ociLayerGzip,
        digest: digestOf(compressed),
        size: compressed.length,
      },
    });
    expect(
      (await collect(await layer.open({ offset: 0 }))).equals(readFileSync(join(folder, "layer.tgz"))),
    ).toBe(true);
  });

  it.each([
    ["text", Buffer.from("no tar at all, but some text ".repeat(100))],
    ["half", tar.subarray(0, 60_000)],
    ["damaged", gzipSync(tar).subarray(0, 100)],
    ["gzipped-text", gzipSync(Buffer.from("no tar ".repeat(1000)))],
  ])("refuses what is no whole tar: %s", async (name, content) => {
    await expect(open(name, content)).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: `Cannot use "${name}" as a layer: it is no tar, or a damaged one`,
    });
  });

  it("says what is not there", async () => {
    const missing = openLayerFile(join(folder, "missing"), { shown: "missing", tempFolder: () => folder });
    await expect(missing).rejects.toMatchObject({ code: "ARCHIVE_NOT_FOUND" });
    const isFolder = openLayerFile(folder, { shown: "folder", tempFolder: () => folder });
    await expect(isFolder).rejects.toThrow('Cannot read "folder": it is a folder');
  });

  it("says that a pipe can't be read", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const writer = spawn("sh", ["-c", 'echo x > "$0"', pipe], { stdio: "ignore" });
    const ended = new Promise((resolve) => writer.on("exit", resolve));
    const opened = openLayerFile(pipe, { shown: "pipe", tempFolder: () => folder });
    await expect(opened).rejects.toThrow('Cannot read "pipe": it is a pipe');
    await ended;
  });
});
