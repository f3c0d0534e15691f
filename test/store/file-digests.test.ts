import { createHash } from "node:crypto";
import { appendFileSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { FileDigests } from "../../src/store/blobs/file-digests.ts";
import { digestBeside } from "../../src/store/blobs/part-digest.ts";
import { openPartFile } from "../../src/store/blobs/part-file.ts";
import { makeScratch, noise } from "./support.ts";

const MIB = 1024 * 1024;
const scratch = makeScratch();
const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

test("several files are followed at once, each with its own digest", async () => {
  const digests = new FileDigests();
  const contents = ["a", "b", "c"].map((name) => noise(5 * MIB, name));
  const files = await Promise.all(
    contents.map(async (_, index) => {
      const path = join(scratch, `several-${index}`);
      writeFileSync(path, "");
      return { path, followed: await digests.follow(path, "sha256") };
    }),
  );
  for (let at = 0; at < 5 * MIB; at += MIB / 2) {
    for (const [index, { path, followed }] of files.entries()) {
      appendFileSync(path, contents[index]?.subarray(at, at + MIB / 2) ?? "");
      followed.wrote(at + MIB / 2);
    }
  }
  expect(await Promise.all(files.map(({ followed }) => followed.finish()))).toEqual(contents.map(sha256));
});

test("what a file holds when following begins counts, and what is written behind the last word does not", async () => {
  const path = join(scratch, "begun");
  writeFileSync(path, noise(MIB, "begin"));
  const followed = await new FileDigests().follow(path, "sha512");
  followed.wrote(MIB);
  appendFileSync(path, "more");
  const wanted = createHash("sha512").update(noise(MIB, "begin")).digest("hex");
  expect(await followed.finish()).toBe(wanted);
});

test("a file that has become shorter has no digest, and the next file is followed all the same", async () => {
  const digests = new FileDigests();
  const path = join(scratch, "shorter");
  writeFileSync(path, noise(MIB, "long"));
  const followed = await digests.follow(path, "sha256");
  truncateSync(path, 10);
  followed.wrote(MIB);
  const other = await digests.follow(path, "sha256");
  other.wrote(10);
  await expect(followed.finish()).rejects.toThrow("shorter");
  expect(await other.finish()).toBe(sha256(noise(MIB, "long").subarray(0, 10)));
});

test("a file can be given up, and with it the thread; another begins with the next file", async () => {
  const digests = new FileDigests();
  const path = join(scratch, "again");
  writeFileSync(path, "x");
  const forgotten = await digests.follow(path, "sha256");
  forgotten.abandon();
  forgotten.abandon();
  const followed = await digests.follow(path, "sha256");
  followed.wrote(1);
  expect(await followed.finish()).toBe(sha256(Buffer.from("x")));
});

test("where the thread could not read the file, it is read here", async () => {
  const path = join(scratch, "here");
  writeFileSync(path, "");
  const digest = await digestBeside(new FileDigests(), path, 0, "sha256");
  digest.add(new Uint8Array(0), 2 * MIB); // not there yet, so the thread gives up
  writeFileSync(path, noise(2 * MIB, "late"));
  expect(await digest.finish()).toBe(`sha256:${sha256(noise(2 * MIB, "late"))}`);
});

/** As where a user may have no more threads. */
class NoThreads extends FileDigests {
  override async follow(): Promise<never> {
    throw new Error("no thread can be had");
  }
}

test("where no thread can be had, the digest is found here, of what was there too", async () => {
  const path = join(scratch, "threadless");
  writeFileSync(path, noise(MIB, "first"));
  const digest = await digestBeside(new NoThreads(), path, MIB, "sha256");
  digest.add(Buffer.from("more"), MIB + 4);
  const whole = Buffer.concat([noise(MIB, "first"), Buffer.from("more")]);
  expect(await digest.finish()).toBe(`sha256:${sha256(whole)}`);
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
  const place = { path, target: join(scratch, "never"), sync: false, digests: new FileDigests() };
  await expect(openPartFile(descriptor, place)).rejects.toThrow();
  expect(openFiles()).not.toContain(path);
});

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
