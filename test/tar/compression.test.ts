import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { COMPRESSION_MAGIC_BYTES, detectCompression, type StreamCompression } from "../../src/tar/index.ts";
import { hasProgram, makeTar, run } from "./support.ts";

const tar = makeTar([{ path: "a", content: "a".repeat(3000) }]);

test("detectCompression() knows gzip, and a plain tar as none", () => {
  expect(detectCompression(gzipSync(tar))).toBe("gzip");
  expect(detectCompression(tar)).toBe("none");
  expect(detectCompression(new Uint8Array())).toBe("none");
  expect(detectCompression(Buffer.from([0x1f]))).toBe("none");
});

describe("what the real programs write", () => {
  const programs: readonly (readonly [StreamCompression, string, readonly string[]])[] = [
    ["bzip2", "bzip2", ["-c"]],
    ["xz", "xz", ["-c"]],
    ["lzma", "xz", ["-c", "--format=lzma"]],
    ["lzma", "xz", ["-c", "--format=lzma", "-9"]],
    ["zstd", "zstd", ["-c", "-q"]],
    ["zstd", "zstd", ["-c", "-q", "--no-check", "-19"]],
  ];
  for (const [kind, program, args] of programs) {
    test.skipIf(!hasProgram(program))(`${program} ${args.join(" ")} is ${kind}`, () => {
      const head = run(program, args, tar).subarray(0, COMPRESSION_MAGIC_BYTES);
      expect(detectCompression(head)).toBe(kind);
    });
  }
});

test("a tar whose first name looks like an lzma header is none", () => {
  expect(detectCompression(makeTar([{ path: "]", content: "x" }]))).toBe("none");
});
