import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { FileBytes } from "../../src/oci/index.ts";
import { readChunks } from "../../src/store/index.ts";
import { connectPair } from "../support/socket-pair.ts";
import { makeScratch, noise } from "./support.ts";

const scratch = makeScratch();
const CONTENT = noise(5_000_000, "file bytes");
const path = join(scratch, "blob");
writeFileSync(path, CONTENT);

async function open(options: Parameters<typeof readChunks>[1] = {}, file = path): Promise<FileBytes> {
  const opened = await readChunks(file, options).openFile?.();
  if (opened === undefined) throw new Error("not a file");
  return opened;
}

async function readAll(file: FileBytes, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  while (file.left > 0) pieces.push(Buffer.from(await file.read(maxBytes)));
  await file.close();
  return Buffer.concat(pieces);
}

describe("a file's bytes", () => {
  test.each([
    [{}, 0, CONTENT.byteLength],
    [{ offset: 1_234_567 }, 1_234_567, CONTENT.byteLength],
    [{ size: 3_000_001 }, 0, 3_000_001],
    [{ offset: 10, size: 20 }, 10, 20],
    [{ size: 9_000_000 }, 0, CONTENT.byteLength],
  ])("with %j are read as the chunks are", async (options, start, end) => {
    const file = await open(options);
    expect(file.left).toBe(end - start);
    const bytes = await readAll(file, 700_000);
    expect(bytes.equals(CONTENT.subarray(start, end))).toBe(true);
    const chunks: Uint8Array[] = [];
    for await (const chunk of readChunks(path, options)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  test("go to a socket and to the reader in turn, each once", async () => {
    const { near, far, fd, end } = await connectPair();
    const received: Buffer[] = [];
    far.on("data", (chunk: Buffer) => received.push(chunk));
    const file = await open({ offset: 17 });
    let sent = 0;
    while (file.left > 0) {
      const piece = await file.read(1000);
      await new Promise((resolve) => near.write(piece, resolve));
      sent += await file.send(fd, 300_000);
    }
    await file.close();
    near.end();
    await new Promise((resolve) => far.on("end", resolve));
    end();
    expect(sent).toBeGreaterThan(0);
    expect(Buffer.concat(received).equals(CONTENT.subarray(17))).toBe(true);
  });

  test("a file that has become shorter gives nothing where there should be something", async () => {
    const cut = join(scratch, "cut");
    writeFileSync(cut, CONTENT);
    const file = await open({}, cut);
    truncateSync(cut, 1000);
    expect((await file.read(10_000)).byteLength).toBe(1000);
    expect(file.left).toBe(CONTENT.byteLength - 1000);
    expect((await file.read(10_000)).byteLength).toBe(0);
    await file.close();
  });

  test("a file that is not there cannot be opened", async () => {
    await expect(open({}, join(scratch, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
