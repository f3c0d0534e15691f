import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Digest, DigestAlgorithm } from "../../src/oci/digest.ts";
import { addFile, startPartDigest } from "../../src/store/blobs/part-digest.ts";
import { openPartFile } from "../../src/store/blobs/part-file.ts";
import { makeScratch, noise } from "./support.ts";

const MIB = 1024 * 1024;
const LARGE = 100 * MIB;
const scratch = makeScratch();

test.each([
  ["a small blob", "sha256", 3 * MIB],
  ["a large one", "sha256", LARGE],
  ["a large one, by another name", "sha512", LARGE],
] as const)("the digest of %s counts what its part held already", async (name, algorithm, size) => {
  const path = join(scratch, name.replaceAll(/\W/g, ""));
  const first = noise(2 * MIB + 5, "first");
  const second = [noise(MIB, "second"), Buffer.from("little"), noise(70_000, "third")];
  writeFileSync(path, first);
  const digest = startPartDigest(algorithm, size);
  await addFile(digest, path);
  for (const chunk of second) await digest.add(chunk);
  expect(digest.finish()).toBe(digestOf(algorithm, [first, ...second]));
});

test("a large part takes chunks in memory that is used again, and becomes the blob only if it is", async () => {
  const size = 20 * MIB;
  const content = noise(size, "large");
  const descriptor = {
    mediaType: "application/octet-stream",
    digest: digestOf("sha256", [content]),
    size,
  };
  const fill = async (target: string, damage: boolean): Promise<void> => {
    await using part = await openPartFile(descriptor, { path: `${target}.part`, target, sync: true });
    const memory = new Uint8Array(MIB);
    for (let at = 0; at < size; at += MIB) {
      memory.set(content.subarray(at, at + MIB));
      if (damage && at === 7 * MIB) memory[1000] = ~(memory[1000] as number);
      await part.append(memory);
    }
    await part.commit();
  };
  const good = join(scratch, "good");
  await fill(good, false);
  expect(readFileSync(good).equals(content)).toBe(true);
  const bad = join(scratch, "bad");
  await expect(fill(bad, true)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  expect(readdirSync(scratch).filter((name) => name.startsWith("bad"))).toEqual([]);
});

test("a part whose beginning cannot be digested is not left open", async () => {
  const path = join(scratch, "unreadable.part");
  writeFileSync(path, "begin");
  const descriptor = {
    mediaType: "application/octet-stream",
    // No hash has that name, whatever a document says.
    digest: `sha0:${"0".repeat(64)}` as Digest,
    size: 10,
  };
  const place = { path, target: join(scratch, "never"), sync: false };
  await expect(openPartFile(descriptor, place)).rejects.toThrow();
  expect(openFiles()).not.toContain(path);
});

function digestOf(algorithm: DigestAlgorithm, chunks: readonly Uint8Array[]): Digest {
  const hash = createHash(algorithm);
  for (const chunk of chunks) hash.update(chunk);
  return `${algorithm}:${hash.digest("hex")}` as Digest;
}

/** What this process has open. */
function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the folder itself, by now closed
    }
  });
}
