import { deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { gunzip } from "../../../../src/builder/files/archive/gunzip.ts";

/** What comes out of a file of these bytes, and the error that ended it. */
async function decode(file: Buffer): Promise<{ readonly text: string; readonly error?: string }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of gunzip((into, position) => file.copy(into, 0, position)))
      chunks.push(Buffer.from(chunk));
  } catch (error) {
    return { text: Buffer.concat(chunks).toString(), error: (error as Error).message };
  }
  return { text: Buffer.concat(chunks).toString() };
}

const HELLO = gzipSync("hello");

describe("gunzip()", () => {
  test("reads members behind each other", async () => {
    expect(await decode(Buffer.concat([HELLO, gzipSync(""), gzipSync(" again")]))).toEqual({
      text: "hello again",
    });
  });

  test("takes more than a chunk's worth", async () => {
    const text = Array.from({ length: 300_000 }, (_, i) => `${i}`).join();
    expect(await decode(Buffer.concat([gzipSync(text), HELLO]))).toEqual({ text: `${text}hello` });
  });

  test("skips all that a header may have", async () => {
    const header = Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 7]);
    const names = Buffer.from(`${"name".repeat(300)}\0comment\0##`);
    expect(await decode(Buffer.concat([header, names, deflateRawSync("hello"), HELLO.subarray(-8)]))).toEqual(
      {
        text: "hello",
      },
    );
  });

  test.each([
    ["zeros", Buffer.alloc(512)],
    ["rubbish", Buffer.from("rubbish that is no header")],
    ["half a header", HELLO.subarray(0, 5)],
  ])("ignores %s at the end", async (_, behind) => {
    expect(await decode(Buffer.concat([HELLO, behind]))).toEqual({ text: "hello" });
  });

  test("gives what is right before it says what is wrong", async () => {
    const wrong = Buffer.from(HELLO);
    wrong.writeUInt8((wrong.at(-8) as number) ^ 1, wrong.length - 8);
    expect(await decode(wrong)).toEqual({ text: "hello", error: "gzip: invalid checksum" });
  });

  test("gives all there is of a member that is cut off", async () => {
    for (const missing of [4, 8, 9]) {
      expect(await decode(HELLO.subarray(0, HELLO.length - missing))).toEqual({ text: "hello" });
    }
  });

  test("refuses what is none", async () => {
    expect(await decode(Buffer.from([0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 1]))).toEqual({
      text: "",
      error: "gzip: invalid header",
    });
  });
});
