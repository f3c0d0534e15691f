import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openArchive, TarFiles } from "../../../src/store/transports/index.ts";
import { type ArchivedFile, tarOf } from "../../support/image-archives.ts";

const folder = mkdtempSync(join(tmpdir(), "strake-tar-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
function written(bytes: Uint8Array): string {
  const path = join(folder, `${count++}.tar`);
  writeFileSync(path, bytes);
  return path;
}
const open = (files: readonly ArchivedFile[]) => TarFiles.open(written(tarOf(files)), { shown: "x.tar" });
const text = async (files: TarFiles, name: string) => (await files.read(name, 1 << 20))?.toString();

describe("TarFiles", () => {
  it("finds files of every size wherever the edges of what is read fall", async () => {
    // Around 64 KiB, what is read at once: content that ends at, before and behind an edge, and headers on it.
    const sizes = [0, 1, 511, 512, 513, 65_535, 65_536, 64_000, 1_000_000, 3, 130_048, 512 * 127, 7];
    const made = sizes.map((size, i) => ({ name: `f${i}`, content: Buffer.alloc(size, `${i}:`) }));
    await using files = await open(made);
    for (const { name, content } of made) {
      expect(await files.sizeOf(name)).toBe(content.length);
      expect(content.equals((await files.read(name, 1 << 21)) ?? new Uint8Array())).toBe(true);
    }
    const tail: Uint8Array[] = [];
    for await (const chunk of files.open("f8", { offset: 999_990 })) tail.push(chunk);
    expect(Buffer.concat(tail)).toEqual(made[8]?.content.subarray(999_990));
  });

  it("follows links inside the archive, also to what comes later", async () => {
    await using files = await open([
      { name: "a/link", symlink: "../b/file" },
      { name: "hard", hardlink: "b/file" },
      { name: "./b/file", content: "here" },
      { name: "twice", symlink: "a/link" },
    ]);
    for (const name of ["a/link", "hard", "b/file", "twice"]) expect(await text(files, name)).toBe("here");
  });

  it("follows no link that leads out or round in circles", async () => {
    await using files = await open([
      { name: "out", symlink: "../../etc/passwd" },
      { name: "absolute", symlink: "/etc/passwd" },
      { name: "hard", hardlink: "../x" },
      { name: "circle", symlink: "circle" },
      { name: "nothing", symlink: "nowhere" },
    ]);
    for (const name of ["out", "absolute", "hard", "circle", "nothing", "other"]) {
      expect(await files.sizeOf(name)).toBeUndefined();
      expect(await files.read(name, 100)).toBeUndefined();
    }
  });

  it.each([
    [
      "two files of one name",
      tarOf([
        { name: "a", content: "1" },
        { name: "./a", content: "2" },
      ]),
      'two files named "a"',
    ],
    ["a name that leads out", tarOf([{ name: "../a", content: "1" }]), "leads out of it"],
    ["no tar", Buffer.alloc(2000, "text"), "this is no tar"],
    [
      "a file that was cut short",
      tarOf([{ name: "a", content: Buffer.alloc(300_000) }]).subarray(0, 200_000),
      "it was cut short",
    ],
    ["a header that was cut short", tarOf([{ name: "a", content: "1" }]).subarray(0, 700), ""],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(TarFiles.open(written(bytes), { shown: "x.tar" })).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: expect.stringMatching(new RegExp(`^Cannot read "x.tar": .*${message}`)),
    });
  });

  it("says when there is no such file", async () => {
    await expect(TarFiles.open(join(folder, "none"))).rejects.toMatchObject({ code: "ARCHIVE_NOT_FOUND" });
    await using files = await open([{ name: "a", content: "12345" }]);
    await expect(files.read("a", 4)).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
  });
});

describe("openArchive()", () => {
  const bytes = tarOf([{ name: "a", content: "content" }]);
  const temp = (): string => folder;

  it("reads a stream, and what is compressed", async () => {
    const { gzipSync } = await import("node:zlib");
    const compressed = gzipSync(bytes);
    const stream = (async function* () {
      yield compressed.subarray(0, 3);
      yield compressed.subarray(3);
    })();
    await using fromStream = await openArchive(stream, { tempFolder: temp });
    expect(await text(fromStream, "a")).toBe("content");
    await using fromFile = await openArchive(written(compressed), { tempFolder: temp });
    expect(await text(fromFile, "a")).toBe("content");
  });

  it("needs no temporary folder for a plain file", async () => {
    const none = (): string => {
      throw new Error("asked for a temporary folder");
    };
    await using files = await openArchive(written(bytes), { tempFolder: none });
    expect(await text(files, "a")).toBe("content");
  });

  it("says when the compressed bytes are damaged or nobody can unpack them", async () => {
    const { gzipSync } = await import("node:zlib");
    const cut = written(
      gzipSync(Buffer.concat([bytes, Buffer.from(crypto.getRandomValues(new Uint8Array(5000)))])).subarray(
        0,
        2000,
      ),
    );
    await expect(openArchive(cut, { shown: "x.tgz", tempFolder: temp })).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: 'Cannot unpack "x.tgz": it is damaged or was cut short',
    });
    const xz = written(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    await expect(openArchive(xz, { tempFolder: temp })).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      hint: "Unpack it first with xz -d",
    });
  });
});
