import { randomBytes } from "node:crypto";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LocalTree } from "../../../../src/builder/files/index.ts";
import { copy, paths, temporaryFolder, writeFiles } from "../support.ts";
import { compress, type Packing, tarOf, writeArchive } from "./archives.ts";

describe("what is an archive", () => {
  const ENTRIES = [{ name: "f", text: "x" }];

  async function addBytes(
    content: Buffer,
    asked: { readonly searchPath?: string } | undefined = undefined,
  ): Promise<{ readonly layer: readonly string[] }> {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "thing"), content);
    const layer = await copy({
      from: new LocalTree(folder),
      sources: ["thing"],
      to: "/x/",
      operation: { unpack: true, ...(asked === undefined ? {} : { isUnpackAsked: true }) },
      scratchDir: join(folder, "scratch"),
      ...asked,
    });
    return { layer: paths(layer) };
  }

  test.each(["plain", "gzip", "bzip2", "zstd"] as const)(
    "%s is told by its content",
    async (packing: Packing) => {
      const content = compress(await tarOf(ENTRIES), packing);
      if (content === undefined) {
        console.warn(`skipped: ${packing} is not installed`);
        return;
      }
      expect((await addBytes(content)).layer).toEqual(["x", "x/f"]);
    },
  );

  test.each(["xz", "lzma"] as const)("%s is copied as it is", async (packing: Packing) => {
    const content = compress(await tarOf(ENTRIES), packing);
    if (content === undefined) {
      console.warn(`skipped: ${packing} is not installed`);
      return;
    }
    expect((await addBytes(content)).layer).toEqual(["x", "x/thing"]);
  });

  test("xz is unpacked by a program where that is asked for", async () => {
    const content = compress(await tarOf(ENTRIES), "xz");
    const text = compress(Buffer.from("no archive"), "xz");
    if (content === undefined || text === undefined) {
      console.warn("skipped: xz is not installed");
      return;
    }
    const asked = { searchPath: process.env["PATH"] ?? "" };
    expect((await addBytes(content, asked)).layer).toEqual(["x", "x/f"]);
    expect((await addBytes(text, asked)).layer).toEqual(["x", "x/thing"]);
    await expect(addBytes(content.subarray(0, 60), asked)).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: expect.stringMatching(/^Cannot unpack "thing": xz: .*Unexpected end of input/),
    });
    await expect(addBytes(content, { searchPath: "/nowhere" })).rejects.toMatchObject({
      code: "DECOMPRESSOR_MISSING",
      hint: expect.stringContaining("xz-utils"),
    });
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["text", Buffer.from("hello")],
    ["an archive without entries", Buffer.alloc(1024)],
    ["compressed text", compress(Buffer.from("hello".repeat(500)), "gzip") as Buffer],
    ["a gzip header and rubbish", Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])],
    ["a zstd header and rubbish", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff])],
    ["a bzip2 header and rubbish", Buffer.from("BZh9rubbish and more of it")],
  ])("%s is none", async (_, content) => {
    expect((await addBytes(content)).layer).toEqual(["x", "x/thing"]);
  });

  test.each([
    ["rubbish behind it", (whole: Buffer) => Buffer.concat([whole, Buffer.from("rubbish")])],
    [
      "a wrong checksum at the end",
      (whole: Buffer) => Buffer.concat([whole.subarray(0, -8), Buffer.alloc(8, 1)]),
    ],
    ["no checksum at the end", (whole: Buffer) => whole.subarray(0, -8)],
  ])("a gzip one with %s is unpacked: nobody reads beyond the tar's end", async (_, damage) => {
    const content = damage(compress(await tarOf(ENTRIES), "gzip") as Buffer);
    expect((await addBytes(content)).layer).toEqual(["x", "x/f"]);
  });

  test("one inside a folder stays as it is", async () => {
    const folder = writeFiles(temporaryFolder(), { "d/": "" });
    await writeArchive(join(folder, "d"), ENTRIES);
    const layer = await copy({
      from: new LocalTree(folder),
      sources: ["d"],
      to: "/x",
      operation: { unpack: true },
    });
    expect(paths(layer)).toEqual(["x", "x/a.tar"]);
  });

  test.each(["plain", "gzip", "bzip2", "zstd"] as const)(
    "a %s one that is cut off is an error",
    async (packing) => {
      // More than one block of each format: what is cut off within the first is not told from rubbish.
      const text = randomBytes(1_500_000).toString("hex");
      const content = compress(
        await tarOf([
          { name: "f", text: "x" },
          { name: "g", text },
        ]),
        packing,
      );
      if (content === undefined) {
        console.warn(`skipped: ${packing} is not installed`);
        return;
      }
      const folder = temporaryFolder();
      const path = join(folder, "a.tar");
      writeFileSync(path, content);
      truncateSync(path, Math.floor(content.length / 2));
      const work = copy({
        from: new LocalTree(folder),
        sources: ["a.tar"],
        to: "/x/",
        operation: { unpack: true },
        scratchDir: join(folder, "scratch"),
      });
      await expect(work).rejects.toMatchObject({
        code: "ARCHIVE_INVALID",
        message: expect.stringMatching(/^Cannot unpack "a\.tar": .*unexpected EOF$/),
      });
    },
  );
});
