import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { listFolder, readConfigFile } from "../../../src/registry/hosts/settings-file.ts";

const folder = mkdtempSync(join(tmpdir(), "strake-settings-"));
const at = (name: string): string => join(folder, name);
writeFileSync(at("file"), "text");
afterAll(() => rmSync(folder, { recursive: true }));

test("a settings file is read, and what is not there is none", async () => {
  expect(await readConfigFile(at("file"))).toBe("text");
  expect(await readConfigFile(at("none"))).toBeUndefined();
  expect(await readConfigFile(at("file/below"))).toBeUndefined();
});

test("a pipe, such as a shell's <(…), is waited for while everything else goes on", async () => {
  execFileSync("mkfifo", [at("pipe")]);
  const text = readConfigFile(at("pipe"));
  await writeFile(at("pipe"), "later");
  expect(await text).toBe("later");
});

test("a folder is no settings file, and a file no folder", async () => {
  await expect(readConfigFile(folder)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  expect([...((await listFolder(folder)) ?? [])].sort()).toEqual(["file", "pipe"]);
  expect(await listFolder(at("none"))).toBeUndefined();
  expect(await listFolder(at("file"))).toBeUndefined();
});
