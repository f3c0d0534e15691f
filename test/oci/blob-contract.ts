import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  type BlobOpener,
  type BlobSink,
  type BlobSource,
  type Descriptor,
  digestOf,
} from "../../src/oci/index.ts";

/** What everything that has and takes blobs must do. `create` makes an empty one. */
export function describeBlobs(name: string, create: () => Promise<BlobSource & BlobSink>): void {
  describe(`${name} as a BlobSource and BlobSink`, () => {
    test.each([0, 1, 100_000, 3_000_001])("gives back the %i bytes that it took", async (size) => {
      const blobs = await create();
      const { descriptor, bytes } = blob(size);
      expect(await blobs.hasBlob(descriptor)).toBe(false);
      await blobs.writeBlob(descriptor, opener(bytes));
      expect(await blobs.hasBlob(descriptor)).toBe(true);
      expect(Buffer.compare(await read(blobs, descriptor), bytes)).toBe(0);
    });

    test("opens a blob at any offset, again and again, also after leaving it half read", async () => {
      const blobs = await create();
      const { descriptor, bytes } = blob(2_500_000);
      await blobs.writeBlob(descriptor, opener(bytes));
      for await (const chunk of await blobs.openBlob(descriptor)) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
      for (const offset of [0, 1, 1_048_576, 2_499_999]) {
        expect(Buffer.compare(await read(blobs, descriptor, offset), bytes.subarray(offset))).toBe(0);
      }
    });

    test("says BLOB_NOT_FOUND of a blob that it does not have", async () => {
      const blobs = await create();
      await expect(blobs.openBlob(blob(10).descriptor)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    });

    test.each<[string, (bytes: Buffer) => Buffer]>([
      ["other bytes", (bytes) => Buffer.alloc(bytes.byteLength)],
      ["fewer bytes", (bytes) => bytes.subarray(1)],
      ["more bytes", (bytes) => Buffer.concat([bytes, Buffer.from("!")])],
    ])("refuses %s, and takes the right ones then", async (_what, change) => {
      const blobs = await create();
      const { descriptor, bytes } = blob(200_000);
      await expect(blobs.writeBlob(descriptor, opener(change(bytes)))).rejects.toMatchObject({
        code: "BLOB_CORRUPT",
      });
      expect(await blobs.hasBlob(descriptor)).toBe(false);
      await blobs.writeBlob(descriptor, opener(bytes));
      expect(Buffer.compare(await read(blobs, descriptor), bytes)).toBe(0);
    });

    test("asks the source for nothing when the blob is there", async () => {
      const blobs = await create();
      const { descriptor, bytes } = blob(1000);
      await blobs.writeBlob(descriptor, opener(bytes));
      await blobs.writeBlob(descriptor, () => Promise.reject(new Error("not to be opened")));
    });

    test("passes a source's own error on", async () => {
      const blobs = await create();
      const { descriptor } = blob(1000);
      const fault = new Error("disk on fire");
      await expect(blobs.writeBlob(descriptor, () => Promise.reject(fault))).rejects.toBe(fault);
    });
  });
}

function blob(size: number): { readonly descriptor: Descriptor; readonly bytes: Buffer } {
  const bytes = randomBytes(size);
  return { bytes, descriptor: { mediaType: "application/octet-stream", digest: digestOf(bytes), size } };
}

function opener(bytes: Buffer): BlobOpener {
  return async ({ offset }) =>
    (async function* () {
      for (let at = offset; at < bytes.byteLength; at += 60_000) yield bytes.subarray(at, at + 60_000);
    })();
}

async function read(blobs: BlobSource, descriptor: Descriptor, offset = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await blobs.openBlob(descriptor, { offset })) chunks.push(chunk);
  return Buffer.concat(chunks);
}
