import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { type BackgroundHash, startBackgroundHash } from "../../src/sys/background-hash.ts";

const MIB = 1024 * 1024;

function start(algorithm: "sha256" | "sha384" | "sha512"): BackgroundHash {
  const hash = startBackgroundHash(algorithm);
  if (hash === undefined) throw new Error("Node has no functions of OpenSSL here");
  return hash;
}

test.each(["sha256", "sha384", "sha512"] as const)("%s is what Node's own is", async (algorithm) => {
  const hash = start(algorithm);
  const wanted = createHash(algorithm);
  const memory = new Uint8Array(MIB);
  for (let i = 0; i < 20; i++) {
    memory.fill(i);
    // Views of a larger piece of memory, at odd places, of odd lengths; memory that is used again afterwards.
    const bytes = memory.subarray(i, MIB - 17 * i);
    wanted.update(bytes);
    if (i % 3 === 0) hash.updateHere(bytes);
    else await hash.update(bytes);
  }
  await hash.update(new Uint8Array(0));
  expect(hash.digest()).toBe(wanted.digest("hex"));
});

test("many at once have each their own", async () => {
  const found = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      const hash = start("sha256");
      for (let k = 0; k < 5; k++) await hash.update(Buffer.alloc(MIB + i, k));
      return hash.digest();
    }),
  );
  const wanted = found.map((_, i) => {
    const hash = createHash("sha256");
    for (let k = 0; k < 5; k++) hash.update(Buffer.alloc(MIB + i, k));
    return hash.digest("hex");
  });
  expect(found).toEqual(wanted);
});

test("one can be given up at any moment, and is no use then", async () => {
  const idle = start("sha256");
  idle.free();
  idle.free();
  expect(() => idle.digest()).toThrow("invariant");
  const busy = start("sha256");
  const updated = busy.update(Buffer.alloc(16 * MIB));
  busy.free();
  await updated;
  expect(() => busy.updateHere(Buffer.alloc(1))).toThrow("invariant");
});

test("is not touched while a thread is at work on it", async () => {
  const hash = start("sha256");
  const updated = hash.update(Buffer.alloc(MIB));
  expect(() => hash.updateHere(Buffer.alloc(1))).toThrow("invariant");
  expect(() => hash.digest()).toThrow("invariant");
  await updated;
  expect(hash.digest()).toBe(createHash("sha256").update(Buffer.alloc(MIB)).digest("hex"));
});
