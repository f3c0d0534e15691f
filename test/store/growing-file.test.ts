import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GrowingFile } from "../../src/store/blobs/growing-file.ts";
import { collect } from "../support/collect.ts";
import { describeBytes, makeScratch } from "./support.ts";

const scratch = makeScratch();
let count = 0;

/** Bytes that are nowhere the same. */
function noise(bytes: number): Buffer {
  return Buffer.from(Uint32Array.from({ length: bytes / 4 }, (_, i) => i * 2_654_435_761).buffer);
}

/** A blob that a test writes piece by piece, as the compressor does: into memory first, then into the file. */
function grow(): { readonly file: GrowingFile; readonly path: string; write(bytes: Uint8Array): void } {
  const path = join(scratch, `blob-${count++}`);
  writeFileSync(path, "");
  const file = new GrowingFile(path);
  let size = 0;
  return {
    file,
    path,
    write(bytes) {
      file.append(bytes);
      appendFileSync(path, bytes);
      size += bytes.byteLength;
      file.wrote(size);
    },
  };
}

test("a reader that came first gets every byte, and its end when the blob is whole", async () => {
  const content = noise(3_000_000);
  const { file, write } = grow();
  const reading = collect(await file.open({ offset: 0 }));
  for (let at = 0; at < content.byteLength; at += 400_000) {
    write(content.subarray(at, at + 400_000));
    await new Promise(setImmediate);
  }
  file.end();
  expect(Buffer.compare(await reading, content)).toBe(0);
});

test("a reader that comes late reads from the file what is no longer in memory, from any offset", async () => {
  const content = noise(20_000_000);
  const { file, path, write } = grow();
  for (let at = 0; at < content.byteLength; at += 1_000_000) write(content.subarray(at, at + 1_000_000));
  const whole = collect(await file.open({ offset: 0 }));
  const rest = collect(await file.open({ offset: 1_234_567 }));
  file.end();
  expect(Buffer.compare(await whole, content)).toBe(0);
  expect(Buffer.compare(await rest, content.subarray(1_234_567))).toBe(0);
  const blob = describeBytes(content);
  renameSync(path, `${path}.blob`);
  const afterMove = collect(await file.open({ offset: 5 })); // asks for the file before it knows where that went
  file.finish(blob, `${path}.blob`);
  expect(Buffer.compare(await afterMove, content.subarray(5))).toBe(0);
  await expect(file.descriptor).resolves.toEqual(blob);
});

test("bytes that are made but not written yet are read from memory, however many", async () => {
  const path = join(scratch, "never-written");
  const file = new GrowingFile(path);
  const content = noise(12_000_000);
  for (let at = 0; at < content.byteLength; at += 1_000_000)
    file.append(content.subarray(at, at + 1_000_000));
  file.end();
  expect(Buffer.compare(await collect(await file.open({ offset: 0 })), content)).toBe(0);
});

test("a failure of the maker reaches its readers, and who waits for the descriptor", async () => {
  const { file, write } = grow();
  const reading = collect(await file.open({ offset: 0 }));
  write(noise(1000));
  file.fail(new Error("disk full"));
  await expect(reading).rejects.toThrow("disk full");
  await expect(file.descriptor).rejects.toThrow("disk full");
});

test("a reader that is aborted while it waits ends with the reason", async () => {
  const { file } = grow();
  const controller = new AbortController();
  const reading = collect(await file.open({ offset: 0, signal: controller.signal }));
  await new Promise(setImmediate);
  controller.abort(new Error("stopped"));
  await expect(reading).rejects.toThrow("stopped");
});
