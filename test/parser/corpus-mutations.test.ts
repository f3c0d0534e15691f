import { describe, expect, test } from "vitest";
import {
  checkDockerfile,
  DockerfileError,
  encodeUtf8,
  formatDiagnostic,
  parseDockerfile,
  parseNodes,
  printDockerfile,
} from "../../src/parser/index.ts";
import { corpusFolder, dockerfilesOf } from "./shared-corpus.ts";

const SEED = 20_260_801;

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A few bytes removed, doubled or replaced. */
function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  let out = Buffer.from(bytes);
  for (let i = 0; i <= random() * 3; i++) {
    const at = Math.floor(random() * (out.length + 1));
    const length = Math.floor(random() * 8);
    const kind = random();
    const middle =
      kind < 0.3
        ? Buffer.alloc(0)
        : kind < 0.6
          ? Buffer.from([Math.floor(random() * 256)])
          : out.subarray(at, at + 2 * length);
    out = Buffer.concat([out.subarray(0, at), middle, out.subarray(at + length)]);
  }
  return out;
}

describe.skipIf(corpusFolder === undefined)("damaged copies of real Dockerfiles", () => {
  test(`parse or fail as they should (seed ${SEED})`, () => {
    const random = randomNumbers(SEED);
    let failed = 0;
    let count = 0;
    for (const { bytes } of dockerfilesOf("dockerfiles")) {
      const damaged = mutate(bytes, random);
      count++;
      try {
        const { ast, source } = parseNodes(damaged);
        expect(Buffer.from(encodeUtf8(printDockerfile(ast, source))).equals(damaged)).toBe(true);
        parseDockerfile(damaged);
      } catch (error) {
        if (!(error instanceof DockerfileError)) throw error;
        expect(formatDiagnostic(error, damaged)).not.toBe("");
        failed++;
      }
      checkDockerfile(damaged);
    }
    console.log(`corpus, damaged: ${count} files, ${failed} of them refused`);
    expect(failed).toBeLessThan(count);
  });
});
