import { chmodSync, chownSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { unpackLayer } from "../../../src/store/layers/index.ts";
import {
  chunksOf,
  describeFolder,
  hasProgram,
  isRoot,
  makeFolder,
  makeTar,
  run,
  type Spec,
} from "./support.ts";

const SPECS: readonly Spec[] = [
  { path: "a", content: "x", mode: 0o644 },
  { path: "b", content: "x", mode: 0o777 },
  { path: "c", content: "x", mode: 0o4755 },
  { path: "d", kind: "dir", mode: 0o2775 },
  { path: "d/e", content: "x", mode: 0o664 },
];

async function modesAndOwners(folder: string, specs: readonly Spec[] = SPECS): Promise<readonly string[]> {
  await unpackLayer(chunksOf(makeTar(specs), 4096), folder);
  return describeFolder(folder).map((line) => line.split(" ").slice(0, 3).join(" "));
}

const EXPECTED = ["a 100644 0:0", "b 100777 0:0", "c 104755 0:0", "d 42775 0:0", "d/e 100664 0:0"];

describe.skipIf(!isRoot)("modes and owners are the layer's (needs root)", () => {
  test.each([0, 0o022, 0o027, 0o077, 0o777])("whatever the umask: %o", async (mask) => {
    const folder = makeFolder();
    const before = process.umask(mask);
    onTestFinished(() => void process.umask(before));
    expect(await modesAndOwners(folder)).toEqual(EXPECTED);
  });

  test("below a folder that hands its group down", async () => {
    const folder = makeFolder();
    chownSync(folder, 0, 77);
    chmodSync(folder, 0o2755);
    expect(await modesAndOwners(folder)).toEqual(EXPECTED);
  });

  test("below a folder of the layer that does", async () => {
    const specs: readonly Spec[] = [
      { path: "d", kind: "dir", mode: 0o2775, gid: 5 },
      { path: "d/e", content: "x" },
    ];
    expect(await modesAndOwners(makeFolder(), specs)).toEqual(["d 42775 0:5", "d/e 100644 0:0"]);
  });

  test.skipIf(!hasProgram("setfacl"))("below a folder with a default ACL (needs setfacl)", async () => {
    const folder = makeFolder();
    run("setfacl", ["-d", "-m", "u::rwx,g::---,o::---", folder]);
    expect((await modesAndOwners(folder)).map((line) => line.replace(" user", ""))).toEqual(EXPECTED);
  });
});
