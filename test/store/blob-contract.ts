import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { BlobStore } from "../../src/store/index.ts";
import { collect } from "../support/collect.ts";
import { chunks, describeBytes, noise, opener } from "./support.ts";

/** What every BlobStore must do. `create` makes an empty one. */
export function describeBlobStore(name: string, create: () => Promise<BlobStore>): void {
  describe(`${name} as a BlobStore`, () => {
    const small = Buffer.from("some bytes");
    const large = noise(3 * 1024 * 1024 + 17, "large");

    test.each([
      ["empty", Buffer.alloc(0)],
      ["small", small],
      ["large", large],
    ])("writeBlob() stores a blob that is %s, and openBlob() gives it back", async (_, content) => {
      const blobs = await create();
      const descriptor = describeBytes(content);
      expect(await blobs.hasBlob(descriptor)).toBe(false);
      await blobs.writeBlob(descriptor, opener(content));
      expect(await blobs.hasBlob(descriptor)).toBe(true);
      expect((await collect(await blobs.openBlob(descriptor))).equals(content)).toBe(true);
      expect(await blobs.statBlob(descriptor.digest)).toEqual({ size: content.byteLength });
    });

    test.each([10_000, 200_000, 700_000])(
      "writeBlob() takes chunks of up to %i bytes whose memory is used again",
      async (most) => {
        const blobs = await create();
        async function* reused(offset: number): AsyncGenerator<Uint8Array> {
          const memory = Buffer.alloc(most);
          let turn = 0;
          for (let at = offset; at < large.byteLength; ) {
            const size = Math.min(
              large.byteLength - at,
              turn++ % 3 === 0 ? most : 1 + ((turn * 7919) % most),
            );
            large.copy(memory, 0, at, at + size);
            at += size;
            yield memory.subarray(0, size);
            memory.fill(0);
          }
        }
        await blobs.writeBlob(describeBytes(large), async ({ offset, transient }) => {
          if (transient !== true) throw new Error("not asked for");
          return reused(offset);
        });
        expect((await collect(await blobs.openBlob(describeBytes(large)))).equals(large)).toBe(true);
      },
    );

    test("openBlob() of which each chunk is done with before the next gives the same bytes", async () => {
      const blobs = await create();
      await blobs.writeBlob(describeBytes(large), opener(large));
      const copies: Buffer[] = [];
      for await (const chunk of await blobs.openBlob(describeBytes(large), { offset: 5, transient: true }))
        copies.push(Buffer.from(chunk));
      expect(Buffer.concat(copies).equals(large.subarray(5))).toBe(true);
    });

    test("openBlob() begins at any offset", async () => {
      const blobs = await create();
      const descriptor = describeBytes(large);
      await blobs.writeBlob(descriptor, opener(large));
      for (const offset of [0, 1, 1024 * 1024, large.byteLength - 1]) {
        const found = await collect(await blobs.openBlob(descriptor, { offset }));
        expect(found.equals(large.subarray(offset))).toBe(true);
      }
    });

    test("openBlob() can be abandoned and opened again", async () => {
      const blobs = await create();
      const descriptor = describeBytes(large);
      await blobs.writeBlob(descriptor, opener(large));
      for await (const chunk of await blobs.openBlob(descriptor)) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
      expect((await collect(await blobs.openBlob(descriptor))).equals(large)).toBe(true);
    });

    test("a blob that is not there is BLOB_NOT_FOUND", async () => {
      const blobs = await create();
      const absent = describeBytes(small);
      await expect(blobs.openBlob(absent)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
      await expect(blobs.readBlob(absent.digest)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
      expect(await blobs.statBlob(absent.digest)).toBeUndefined();
      expect(await blobs.removeBlob(absent.digest)).toBe(false);
    });

    test.each([
      ["small", small],
      ["large", large],
    ])(
      "writeBlob() refuses wrong bytes for a blob that is %s, and takes the right ones then",
      async (_, content) => {
        const blobs = await create();
        const descriptor = describeBytes(content);
        const altered = Buffer.from(content);
        altered[3] = (altered[3] as number) ^ 1;
        for (const wrong of [altered, content.subarray(1), Buffer.concat([content, Buffer.from("!")])]) {
          await expect(blobs.writeBlob(descriptor, opener(wrong))).rejects.toMatchObject({
            code: "BLOB_CORRUPT",
          });
          expect(await blobs.hasBlob(descriptor)).toBe(false);
          await expect(blobs.openBlob(descriptor)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
        }
        await blobs.writeBlob(descriptor, opener(content));
        expect((await collect(await blobs.openBlob(descriptor))).equals(content)).toBe(true);
      },
    );

    test("writeBlob() asks the source for nothing when the blob is there", async () => {
      const blobs = await create();
      const descriptor = describeBytes(large);
      await blobs.writeBlob(descriptor, opener(large));
      const again = opener(large);
      await blobs.writeBlob(descriptor, again);
      expect(again.offsets).toEqual([]);
    });

    test("writeBlob() goes on where a source broke off", async () => {
      const blobs = await create();
      const descriptor = describeBytes(large);
      const broken = new Error("connection reset");
      async function* breakOff(): AsyncGenerator<Uint8Array> {
        yield* chunks(large.subarray(0, 2_500_000));
        throw broken;
      }
      await expect(blobs.writeBlob(descriptor, async () => breakOff())).rejects.toBe(broken);
      expect(await blobs.hasBlob(descriptor)).toBe(false);
      const rest = opener(large);
      const counts: number[] = [];
      await blobs.writeBlob(descriptor, rest, { onBytes: (count) => counts.push(count) });
      expect(rest.offsets).toEqual([2_500_000]);
      expect(counts.reduce((sum, each) => sum + each)).toBe(large.byteLength);
      expect((await collect(await blobs.openBlob(descriptor))).equals(large)).toBe(true);
    });

    test("writeBlob() starts over when what was left of an earlier run is wrong", async () => {
      const blobs = await create();
      const descriptor = describeBytes(large);
      async function* damaged(): AsyncGenerator<Uint8Array> {
        yield noise(2_500_000, "something else");
        throw new Error("connection reset");
      }
      await expect(blobs.writeBlob(descriptor, async () => damaged())).rejects.toThrow("connection reset");
      const source = opener(large);
      const counts: number[] = [];
      await blobs.writeBlob(descriptor, source, { onBytes: (count) => counts.push(count) });
      expect(source.offsets).toEqual([2_500_000, 0]);
      expect(counts.reduce((sum, each) => sum + each)).toBe(large.byteLength);
      expect((await collect(await blobs.openBlob(descriptor))).equals(large)).toBe(true);
    });

    test("writeBlob() leaves with the signal's reason, and the next call goes on", async () => {
      const blobs = await create();
      const descriptor = describeBytes(large);
      const controller = new AbortController();
      const reason = new Error("enough");
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield* chunks(large.subarray(0, 2_000_000));
        controller.abort(reason);
        yield* chunks(large.subarray(2_000_000));
      }
      const writing = blobs.writeBlob(descriptor, async () => slow(), { signal: controller.signal });
      await expect(writing).rejects.toBe(reason);
      const rest = opener(large);
      await blobs.writeBlob(descriptor, rest);
      expect(rest.offsets).toEqual([2_000_000]);
    });

    test("two writers of one blob at once: one asks its source, both find the blob", async () => {
      const blobs = await create();
      const descriptor = describeBytes(large);
      const sources = [opener(large), opener(large)];
      await Promise.all(sources.map((source) => blobs.writeBlob(descriptor, source)));
      expect(sources.flatMap(({ offsets }) => offsets)).toEqual([0]);
      expect((await collect(await blobs.openBlob(descriptor))).equals(large)).toBe(true);
    });

    test("openPart() says how much is here, and takes the rest", async () => {
      const blobs = await create();
      const descriptor = describeBytes(large);
      {
        await using part = await blobs.openPart(descriptor);
        expect(part?.offset).toBe(0);
        await part?.append(large.subarray(0, 1_500_000));
        expect(part?.offset).toBe(1_500_000);
      }
      {
        await using part = await blobs.openPart(descriptor);
        expect(part?.offset).toBe(1_500_000);
        await part?.append(large.subarray(1_500_000));
        await part?.commit();
      }
      expect(await blobs.openPart(descriptor)).toBeUndefined();
      expect((await collect(await blobs.openBlob(descriptor))).equals(large)).toBe(true);
    });

    test("openPart() takes no byte past the size", async () => {
      const blobs = await create();
      await using part = await blobs.openPart(describeBytes(large));
      await part?.append(large);
      expect(() => part?.append(Buffer.from("!"))).toThrow(expect.objectContaining({ code: "BLOB_CORRUPT" }));
    });

    test("putBytes() and readBlob() are each other's reverse", async () => {
      const blobs = await create();
      const descriptor = await blobs.putBytes(small, "text/plain");
      expect(descriptor).toEqual({
        mediaType: "text/plain",
        digest: digestOf(small),
        size: small.byteLength,
      });
      expect(Buffer.from(await blobs.readBlob(descriptor.digest)).equals(small)).toBe(true);
    });

    test("readBlob() refuses more than it was allowed to hold", async () => {
      const blobs = await create();
      const { digest } = await blobs.putBytes(large, "text/plain");
      await expect(blobs.readBlob(digest, { maxBytes: 1000 })).rejects.toMatchObject({
        code: "BLOB_CORRUPT",
      });
    });

    test("listBlobs() and removeBlob() agree", async () => {
      const blobs = await create();
      const first = await blobs.putBytes(small, "text/plain");
      const second = await blobs.putBytes(Buffer.from("more"), "text/plain");
      expect(await listed(blobs)).toEqual([first.digest, second.digest].sort());
      expect(await blobs.removeBlob(first.digest)).toBe(true);
      expect(await listed(blobs)).toEqual([second.digest]);
    });
  });
}

async function listed(blobs: BlobStore): Promise<readonly Digest[]> {
  const digests: Digest[] = [];
  for await (const { digest } of blobs.listBlobs()) digests.push(digest);
  return digests.sort();
}
