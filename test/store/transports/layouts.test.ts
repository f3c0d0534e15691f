import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bytesOnce } from "../../../src/oci/bytes-once.ts";
import { type BlobOpener, type Descriptor, digestOf, MEDIA_TYPES } from "../../../src/oci/index.ts";
import {
  ArchiveFile,
  ArchiveWriter,
  FolderFiles,
  FolderWriter,
  nameAnnotations,
  OciLayout,
  TarFiles,
} from "../../../src/store/transports/index.ts";
import { describeBlobs } from "../../oci/blob-contract.ts";

const root = mkdtempSync(join(tmpdir(), "strake-layouts-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const fresh = (): string => join(root, String(count++));

const blob = Buffer.from("a layer");
const layer: Descriptor = { mediaType: MEDIA_TYPES.ociLayer, digest: digestOf(blob), size: blob.length };
const manifest = manifestOf("one");

function manifestOf(note: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { ...layer, mediaType: MEDIA_TYPES.ociConfig },
      layers: [layer],
      annotations: { note },
    }),
  );
}
const openBlob = (bytes: Uint8Array) => async () =>
  (async function* () {
    yield bytes.subarray(0, 3);
    yield bytes.subarray(3);
  })();

interface Made {
  readonly layout: OciLayout;
  readonly close: () => Promise<void>;
}

/** Writes an image under some names, and opens what came of it. */
const WRITERS: Readonly<Record<string, (names: readonly (string | undefined)[]) => Promise<Made>>> = {
  async folder(names) {
    const path = fresh();
    const writer = await FolderWriter.open(path);
    await fill(writer, names);
    return {
      layout: (await OciLayout.open(new FolderFiles(path))) as OciLayout,
      close: async () => undefined,
    };
  },
  async archive(names) {
    const path = fresh();
    await using file = await ArchiveFile.create(path);
    await fill(new ArchiveWriter(file), names);
    await file.commit();
    const files = await TarFiles.open(path);
    return { layout: (await OciLayout.open(files)) as OciLayout, close: () => files[Symbol.asyncDispose]() };
  },
};

async function fill(
  writer: FolderWriter | ArchiveWriter,
  names: readonly (string | undefined)[],
): Promise<void> {
  // Twice and at once: a blob of two images is asked for by both.
  await Promise.all([writer.writeBlob(layer, openBlob(blob)), writer.writeBlob(layer, openBlob(blob))]);
  expect(await writer.hasBlob(layer)).toBe(true);
  const descriptor = await writer.pushManifest(manifest, { mediaType: MEDIA_TYPES.ociManifest });
  await writer.finish(
    names.map((name) =>
      name === undefined ? descriptor : { ...descriptor, annotations: nameAnnotations(name) },
    ),
  );
}

describe.each(Object.entries(WRITERS))("an image layout in a %s", (_, write) => {
  it("gives back what was put in", async () => {
    const { layout, close } = await write(["1.0", "latest"]);
    expect(layout.images.map(({ names }) => names)).toEqual([["1.0", "latest"]]);
    const found = await layout.fetchManifest("latest");
    expect(manifest.equals(found.bytes)).toBe(true);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await layout.openBlob(layer, { offset: 2 })) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(blob.subarray(2));
    expect(await layout.hasBlob(layer)).toBe(true);
    await close();
  });

  it("finds an image by tag, by whole name, by digest, or as the only one", async () => {
    const { layout, close } = await write(["docker.io/library/app:1"]);
    const digest = digestOf(manifest);
    for (const name of [undefined, "docker.io/library/app:1", "app:1", "1", digest]) {
      expect(layout.find(name).digest).toBe(digest);
    }
    expect(() => layout.find("app:2")).toThrow(expect.objectContaining({ code: "NO_SUCH_IMAGE" }));
    await close();
  });

  it("has an image without a name", async () => {
    const { layout, close } = await write([undefined]);
    expect(layout.find().digest).toBe(digestOf(manifest));
    await close();
  });

  it("refuses a blob of another digest or size", async () => {
    const path = fresh();
    await using file = await ArchiveFile.create(`${path}.tar`);
    for (const writer of [await FolderWriter.open(path), new ArchiveWriter(file)]) {
      const wrong = Buffer.from("A layer");
      await expect(writer.writeBlob(layer, openBlob(wrong))).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
      expect(await writer.hasBlob(layer)).toBe(false);
    }
    expect(readdirSync(join(path, "blobs/sha256"))).toEqual([]);
  });
});

describe("a blob of several megabytes", () => {
  const large = randomBytes(3 * 1024 * 1024 + 5);
  const descriptor: Descriptor = {
    mediaType: MEDIA_TYPES.ociLayer,
    digest: digestOf(large),
    size: large.byteLength,
  };
  /** Uses its memory again, as those that are asked for transient chunks may; small and large chunks in turn. */
  const openReused: BlobOpener = async ({ offset, transient }) =>
    (async function* () {
      expect(transient).toBe(true);
      const memory = Buffer.alloc(300_000);
      for (let at = offset, nth = 0; at < large.byteLength; nth++) {
        const chunk = memory.subarray(0, Math.min(nth % 2 === 0 ? 300_000 : 1000, large.byteLength - at));
        large.copy(chunk, 0, at);
        at += chunk.byteLength;
        yield chunk;
        memory.fill(0);
      }
    })();

  it.each(["folder", "archive"])("comes into a %s whole from memory that is used again", async (kind) => {
    const path = fresh();
    await using file = await ArchiveFile.create(`${path}.tar`);
    const writer = kind === "folder" ? await FolderWriter.open(path) : new ArchiveWriter(file);
    const counts: number[] = [];
    await writer.writeBlob(descriptor, openReused, { onBytes: (count) => counts.push(count) });
    expect(counts.reduce((sum, count) => sum + count)).toBe(large.byteLength);
    await writer.finish([]);
    if (kind === "archive") await file.commit();
    await using tar = kind === "folder" ? undefined : await TarFiles.open(`${path}.tar`);
    const layout = (await OciLayout.open(tar ?? new FolderFiles(path))) as OciLayout;
    const chunks: Uint8Array[] = [];
    for await (const chunk of await layout.openBlob(descriptor)) chunks.push(chunk);
    expect(large.equals(Buffer.concat(chunks))).toBe(true);
  });

  it("leaves nothing in a folder when it is wrong or can't be written", async () => {
    const path = fresh();
    const writer = await FolderWriter.open(path);
    const wrong = Buffer.from(large).fill(0, 5, 6).fill(1, 6, 7);
    await expect(writer.writeBlob(descriptor, openBlob(wrong))).rejects.toMatchObject({
      code: "BLOB_CORRUPT",
    });
    expect(readdirSync(join(path, "blobs/sha256"))).toEqual([]);
    mkdirSync(join(path, "blobs/sha256", descriptor.digest.slice(7)));
    await expect(writer.writeBlob(descriptor, openBlob(large))).rejects.toMatchObject({
      code: "NOT_WRITABLE",
    });
    expect(readdirSync(join(path, "blobs/sha256"))).toHaveLength(1);
  });

  const breakOff: BlobOpener = async () =>
    (async function* () {
      yield large.subarray(0, 2_000_000);
      throw new Error("broken off");
    })();

  it("goes on where it was broken off in a folder", async () => {
    const path = fresh();
    const part = join(path, "blobs/sha256", `.${descriptor.digest.slice(7)}.part`);
    await expect((await FolderWriter.open(path)).writeBlob(descriptor, breakOff)).rejects.toThrow("broken");
    expect(statSync(part).size).toBe(2_000_000);
    const offsets: number[] = [];
    const open: BlobOpener = async (options) => {
      offsets.push(options.offset);
      return bytesOnce(large.subarray(options.offset));
    };
    const counts: number[] = [];
    const onBytes = (count: number) => void counts.push(count);
    await (await FolderWriter.open(path)).writeBlob(descriptor, open, { onBytes });
    expect(offsets).toEqual([2_000_000]);
    expect(counts[0]).toBe(2_000_000);
    expect(counts.reduce((sum, count) => sum + count)).toBe(large.byteLength);
    expect(readdirSync(dirname(part))).toEqual([descriptor.digest.slice(7)]);
  });

  it("does not go on with what is no begin of it", async () => {
    const path = fresh();
    const writer = await FolderWriter.open(path);
    await expect(writer.writeBlob(descriptor, breakOff)).rejects.toThrow("broken");
    const folder = join(path, "blobs/sha256");
    writeFileSync(join(folder, `.${descriptor.digest.slice(7)}.part`), Buffer.alloc(1_500_000));
    const counts: number[] = [];
    const open: BlobOpener = async ({ offset }) => bytesOnce(large.subarray(offset));
    await writer.writeBlob(descriptor, open, { onBytes: (count) => void counts.push(count) });
    expect(counts.reduce((sum, count) => sum + count)).toBe(large.byteLength);
    expect(readFileSync(join(folder, descriptor.digest.slice(7))).equals(large)).toBe(true);
  });

  it("two at once in one folder each come whole, and leave one", async () => {
    const path = fresh();
    const writers = await Promise.all([FolderWriter.open(path), FolderWriter.open(path)]);
    const slowly: BlobOpener = async ({ offset }) =>
      (async function* () {
        for (let at = offset; at < large.byteLength; at += 500_000) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          yield large.subarray(at, Math.min(at + 500_000, large.byteLength));
        }
      })();
    await Promise.all(writers.map((writer) => writer.writeBlob(descriptor, slowly)));
    const folder = join(path, "blobs/sha256");
    expect(readdirSync(folder)).toEqual([descriptor.digest.slice(7)]);
    expect(readFileSync(join(folder, descriptor.digest.slice(7))).equals(large)).toBe(true);
  });
});

describeBlobs("an image layout in a folder", async () => {
  const path = fresh();
  const writer = await FolderWriter.open(path);
  await writer.finish([]);
  const layout = (await OciLayout.open(new FolderFiles(path))) as OciLayout;
  return {
    openBlob: (descriptor, options) => layout.openBlob(descriptor, options),
    hasBlob: (descriptor) => writer.hasBlob(descriptor),
    writeBlob: (descriptor, open, options) => writer.writeBlob(descriptor, open, options),
  };
});

describe("FolderWriter", () => {
  it("puts an image in the place of the one that had its name, and keeps the others", async () => {
    const path = fresh();
    await fill(await FolderWriter.open(path), ["a", "b"]);
    const writer = await FolderWriter.open(path);
    const other = await writer.pushManifest(manifestOf("two"), { mediaType: MEDIA_TYPES.ociManifest });
    await writer.finish([{ ...other, annotations: nameAnnotations("a") }]);
    const layout = (await OciLayout.open(new FolderFiles(path))) as OciLayout;
    expect(layout.find("a").digest).toBe(other.digest);
    expect(layout.find("b").digest).toBe(digestOf(manifest));
    expect(() => layout.find()).toThrow(expect.objectContaining({ code: "IMAGE_AMBIGUOUS" }));
  });

  it("goes on with what was broken off, and beside another that is at work", async () => {
    const path = fresh();
    await (await FolderWriter.open(path)).writeBlob(layer, openBlob(blob));
    const writer = await FolderWriter.open(path);
    expect(await writer.hasBlob(layer)).toBe(true);
    await expect(OciLayout.open(new FolderFiles(path))).resolves.toBeUndefined();
  });

  it("loses no image of several that are added at once", async () => {
    const path = fresh();
    const names = Array.from({ length: 12 }, (_, i) => `n${i}`);
    await Promise.all(names.map(async (name) => fill(await FolderWriter.open(path), [name])));
    const layout = (await OciLayout.open(new FolderFiles(path))) as OciLayout;
    expect(layout.images.flatMap((image) => image.names).sort()).toEqual([...names].sort());
    expect(readdirSync(path).sort()).toEqual(["blobs", "index.json", "oci-layout"]);
  });

  it("leaves a folder alone that is something else", async () => {
    const path = fresh();
    mkdirSync(path);
    writeFileSync(join(path, "precious"), "");
    await expect(FolderWriter.open(path)).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
    expect(readdirSync(path)).toEqual(["precious"]);
    await expect(FolderWriter.open(join(path, "precious/x"))).rejects.toMatchObject({ code: "NOT_WRITABLE" });
  });
});

describe("ArchiveFile", () => {
  it("leaves what was there when nothing is committed", async () => {
    const path = fresh();
    writeFileSync(path, "before");
    {
      await using file = await ArchiveFile.create(path);
      await file.write(Buffer.from("half"));
    }
    expect(readFileSync(path, "utf8")).toBe("before");
    expect(readdirSync(root).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    await expect(ArchiveFile.create(join(path, "x"))).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    expect(existsSync(path)).toBe(true);
  });
});

describe("OciLayout", () => {
  it("takes entries for several platforms for one index", async () => {
    const path = fresh();
    const writer = await FolderWriter.open(path);
    const entries = [];
    for (const architecture of ["amd64", "arm64"]) {
      const entry = await writer.pushManifest(manifestOf(architecture), {
        mediaType: MEDIA_TYPES.ociManifest,
      });
      entries.push({ ...entry, platform: { os: "linux", architecture } });
    }
    await writer.finish(entries);
    const layout = (await OciLayout.open(new FolderFiles(path))) as OciLayout;
    const found = await layout.fetchManifest(layout.find().digest);
    expect(found.kind).toBe("index");
    expect(readFileSync(join(path, "index.json")).equals(found.bytes)).toBe(true);
  });

  it("says what is wrong with what is none", async () => {
    const path = fresh();
    mkdirSync(path);
    expect(await OciLayout.open(new FolderFiles(path))).toBeUndefined();
    writeFileSync(join(path, "index.json"), "{}");
    await expect(OciLayout.open(new FolderFiles(path))).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
    writeFileSync(join(path, "index.json"), '{"schemaVersion":2,"manifests":[]}');
    const empty = (await OciLayout.open(new FolderFiles(path))) as OciLayout;
    expect(() => empty.find()).toThrow(expect.objectContaining({ code: "NO_IMAGE" }));
  });

  it("believes no manifest whose bytes have another digest", async () => {
    const path = fresh();
    await fill(await FolderWriter.open(path), ["a"]);
    const file = join(path, "blobs/sha256", digestOf(manifest).slice(7));
    writeFileSync(file, manifestOf("three"));
    const layout = (await OciLayout.open(new FolderFiles(path))) as OciLayout;
    await expect(layout.fetchManifest("a")).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  });
});
