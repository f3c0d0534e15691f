import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { STAGE_NAME, Stage } from "../../../src/cli/artifact/stage.ts";
import { digestOf } from "../../../src/oci/index.ts";

const content = Buffer.alloc(3_000_000, "strake ");
const blob = { mediaType: "application/x", digest: digestOf(content), size: content.byteLength };

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "strake-stage-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Gives the bytes from an offset to another, and breaks there unless it is the end. Notes where it was asked to begin. */
function opener(end: number, begins: number[]) {
  return async ({ offset }: { readonly offset: number }) => {
    begins.push(offset);
    return (async function* () {
      for (let at = offset; at < end; at += 100_000) yield content.subarray(at, Math.min(at + 100_000, end));
      if (end < content.byteLength) throw new Error("the line broke");
    })();
  };
}
const options = { signal: new AbortController().signal, onBytes: () => undefined };

describe("Stage", () => {
  it("keeps what arrived of a pull that broke, and the next goes on there", async () => {
    const begins: number[] = [];
    const target = join(folder, "out");
    {
      await using stage = await Stage.open(target, "out");
      await expect(stage.writeBlob(blob, opener(2_000_000, begins), options)).rejects.toThrow(
        "the line broke",
      );
      expect(await stage.isWorthKeeping()).toBe(true);
    }
    expect(readdirSync(target)).toEqual([STAGE_NAME]);
    {
      await using stage = await Stage.open(target, "out");
      await stage.writeBlob(blob, opener(content.byteLength, begins), options);
      expect(await stage.hasBlob(blob)).toBe(true);
      expect(Buffer.compare(readFileSync(stage.blobPath(blob.digest)), content)).toBe(0);
      stage.forgetBlobs();
    }
    expect(begins).toEqual([0, 2_000_000]);
    expect(existsSync(target)).toBe(true);
    expect(readdirSync(target)).toEqual([]);
  });

  it("leaves nothing of a pull that broke at its begin", async () => {
    const target = join(folder, "out");
    {
      await using stage = await Stage.open(target, "out");
      await expect(stage.writeBlob(blob, opener(1000, []), options)).rejects.toThrow("the line broke");
      expect(await stage.isWorthKeeping()).toBe(false);
    }
    expect(existsSync(target)).toBe(false);
  });

  it("shares nothing with another pull into the same folder", async () => {
    await using one = await Stage.open(folder, "out");
    {
      await using two = await Stage.open(folder, "out");
      expect(two.blobPath(blob.digest)).not.toBe(one.blobPath(blob.digest));
      await two.writeBlob(blob, opener(content.byteLength, []), options);
      expect(await one.hasBlob(blob)).toBe(false);
    }
    expect(readdirSync(folder)).toEqual([STAGE_NAME]);
  });

  it("says when it can't be made", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(Stage.open(join(folder, "file/out"), "nothing")).rejects.toMatchObject({
      code: "INPUT_UNUSABLE",
      message: expect.stringContaining('Cannot write "nothing"'),
    });
  });
});
