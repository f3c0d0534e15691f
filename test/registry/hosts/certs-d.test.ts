import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCerts } from "../../../src/registry/hosts/certs-d.ts";

test("readCerts() finds nothing where there is no folder of a host: nothing, a file, or a link to nowhere", async () => {
  const root = mkdtempSync(join(tmpdir(), "strake-certs-d-"));
  try {
    writeFileSync(join(root, "file"), "");
    symlinkSync("nowhere", join(root, "link"));
    for (const host of ["missing", "file", "link"]) expect(await readCerts([root], host)).toBeUndefined();
    expect(await readCerts([join(root, "file")], "missing")).toBeUndefined();
  } finally {
    rmSync(root, { recursive: true });
  }
});
