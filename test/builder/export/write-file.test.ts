import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeWholeFile } from "../../../src/builder/export/write-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "strake-write-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("writeWholeFile()", () => {
  it("writes many chunks, also more than the stream buffers", async () => {
    const path = join(folder, "out");
    const chunk = Buffer.alloc(100_000, "x");
    await writeWholeFile(path, async ({ write }) => {
      for (let i = 0; i < 30; i++) await write(chunk);
    });
    expect(readFileSync(path).length).toBe(3_000_000);
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("leaves what was there when writing fails, and nothing else", async () => {
    const path = join(folder, "out");
    writeFileSync(path, "before");
    const failing = writeWholeFile(path, async ({ write }) => {
      await write(Buffer.from("half"));
      throw new Error("broken");
    });
    await expect(failing).rejects.toThrow("broken");
    expect(readFileSync(path, "utf8")).toBe("before");
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("writes through a link, which stays one", async () => {
    writeFileSync(join(folder, "real"), "before");
    symlinkSync("real", join(folder, "link"));
    await writeWholeFile(join(folder, "link"), ({ write }) => write(Buffer.from("after")));
    expect(readFileSync(join(folder, "real"), "utf8")).toBe("after");
    expect(readdirSync(folder).sort()).toEqual(["link", "real"]);
  });

  it("writes into a pipe", async () => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    const reading = open(path, "r").then(async (file) => {
      try {
        return (await file.readFile()).toString();
      } finally {
        await file.close();
      }
    });
    await writeWholeFile(path, ({ write }) => write(Buffer.from("through")));
    expect(await reading).toBe("through");
    expect(readdirSync(folder)).toEqual(["pipe"]);
  });

  it("says that a folder is missing", async () => {
    await expect(writeWholeFile(join(folder, "no/out"), async () => undefined)).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});
