import { describe, expect, test } from "vitest";
import { type BlobBytes, digestOf, type FileBytes } from "../../../src/oci/index.ts";
import { uploadBody } from "../../../src/registry/blobs/upload-body.ts";
import type { RequestBody } from "../../../src/registry/transport/exchange.ts";

const CONTENT = Buffer.from("0123456789");
const DESCRIPTOR = {
  mediaType: "application/octet-stream",
  digest: digestOf(CONTENT),
  size: CONTENT.byteLength,
};

/** A source that is a file with this content; `actualBytes` are there when it is read. */
function source(content: Uint8Array, actualBytes = content.byteLength) {
  let opens = 0;
  let closed = 0;
  const open = async ({ offset }: { readonly offset: number }): Promise<BlobBytes> => {
    opens++;
    return {
      async *[Symbol.asyncIterator]() {
        yield content.subarray(offset, actualBytes);
      },
      openFile: async () => {
        let at = offset;
        const take = (bytes: number): Uint8Array => {
          const piece = content.subarray(at, Math.min(at + bytes, actualBytes));
          at += piece.byteLength;
          return piece;
        };
        return {
          get left() {
            return content.byteLength - at;
          },
          send: async (_socket: number, maxBytes: number) => take(maxBytes).byteLength,
          read: async (maxBytes) => take(maxBytes),
          close: async () => void closed++,
        };
      },
    };
  };
  return { open, opens: () => opens, closed: () => closed };
}

const fileOf = async (body: RequestBody): Promise<FileBytes | undefined> =>
  body instanceof Uint8Array ? undefined : await body.openFile?.();

async function textOf(body: RequestBody): Promise<string> {
  if (body instanceof Uint8Array) return "bytes";
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks).toString();
}

describe("the body of an upload", () => {
  test("tells of what goes out of a file: of what was sent at once, of what was read when it is done with", async () => {
    const told: number[] = [];
    const { open } = source(CONTENT);
    const file = await fileOf(uploadBody(DESCRIPTOR, open, { offset: 2, onSent: (at) => told.push(at) }));
    expect(file?.left).toBe(8);
    expect((await file?.read(3))?.toString()).toBe("234");
    expect(told.at(-1)).toBe(2);
    expect(await file?.send(0, 2)).toBe(2);
    expect(told.at(-1)).toBe(7);
    await file?.read(100);
    expect(told.at(-1)).toBe(7);
    expect(await file?.send(0, 2)).toBe(0);
    expect(told.at(-1)).toBe(10);
  });

  test("does not tell of what was read and never sent", async () => {
    const told: number[] = [];
    const file = await fileOf(
      uploadBody(DESCRIPTOR, source(CONTENT).open, { onSent: (at) => told.push(at) }),
    );
    await file?.read(3);
    await file?.close();
    expect(told).toEqual([0]);
  });

  test("is opened once, whether the file or the chunks are taken", async () => {
    const plain = source(CONTENT);
    const body = uploadBody(DESCRIPTOR, async (at) => {
      const { openFile: _none, ...bytes } = await plain.open(at);
      return bytes;
    });
    expect(await fileOf(body)).toBeUndefined();
    expect(await textOf(body)).toBe("0123456789");
    expect(plain.opens()).toBe(1);
  });

  test("a piece of a blob comes as chunks", async () => {
    const body = uploadBody(DESCRIPTOR, source(CONTENT).open, { offset: 2, end: 5 });
    expect(await fileOf(body)).toBeUndefined();
    expect(await textOf(body)).toBe("234");
  });

  test.each([
    ["more", Buffer.from("0123456789x")],
    ["fewer", CONTENT.subarray(0, 9)],
  ])("a file with %s bytes than the descriptor says is closed and refused", async (how, content) => {
    const { open, closed } = source(content);
    await expect(fileOf(uploadBody(DESCRIPTOR, open))).rejects.toMatchObject({
      code: "BLOB_CORRUPT",
      message: expect.stringContaining(`its source has ${how} than the 10 bytes`),
    });
    expect(closed()).toBe(1);
  });

  test("a file that is cut while it goes out is told", async () => {
    const file = await fileOf(uploadBody(DESCRIPTOR, source(CONTENT, 4).open));
    expect((await file?.read(100))?.byteLength).toBe(4);
    await expect(file?.read(100)).rejects.toMatchObject({
      code: "BLOB_CORRUPT",
      message: expect.stringContaining("its source has fewer than the 10 bytes"),
    });
  });
});
