import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { describe, expect, test } from "vitest";
import { makeFolder, makeTar, makeTemporaryFolder, type Spec } from "./support.ts";

const REPOSITORY = join(import.meta.dirname, "../../..");
const canUnshare = spawnSync("unshare", ["--user", "--map-root-user", "true"]).status === 0;

/** Unpacks a tar from stdin as the root of a user namespace that has no other users, and packs it again. */
const PROGRAM = `
import { unpackLayer, packSnapshot, MergedTree } from "./src/store/layers/index.ts";
const folder = process.argv[2];
try {
  const { diffId } = await unpackLayer(process.stdin, folder);
  let size = 0;
  for await (const chunk of packSnapshot(folder)) size += chunk.length;
  console.log(JSON.stringify({ diffId, size, root: new MergedTree([folder]).readdir("") }));
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
`;

function unpackInNamespace(specs: readonly Spec[]): {
  readonly folder: string;
  readonly answer: Record<string, unknown>;
} {
  const programFolder = makeTemporaryFolder();
  const bundle = join(programFolder, "unpack.mjs");
  buildSync({
    stdin: { contents: PROGRAM, resolveDir: REPOSITORY, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["koffi"],
    outfile: bundle,
  });
  const folder = makeFolder();
  const result = spawnSync("unshare", ["--user", "--map-root-user", process.execPath, bundle, folder], {
    input: makeTar(specs),
    env: { ...process.env, NODE_PATH: join(REPOSITORY, "node_modules") },
  });
  if (result.status !== 0) throw new Error(result.stderr.toString());
  return { folder, answer: JSON.parse(result.stdout.toString()) as Record<string, unknown> };
}

describe.skipIf(!canUnshare)("in a user namespace (needs unshare --user)", () => {
  test("whiteouts, opaque marks, attributes, FIFOs and modes work", () => {
    const specs: readonly Spec[] = [
      { path: "d", kind: "dir", mode: 0o1777 },
      { path: "d", kind: "opaque" },
      { path: "d/f", content: "x", mode: 0o4755, xattrs: { "user.x": Buffer.from("1") } },
      { path: "gone", kind: "whiteout" },
      { path: "pipe", kind: "fifo" },
    ];
    const { answer } = unpackInNamespace(specs);
    expect(answer).toMatchObject({ size: makeTar(specs).length, root: ["d", "pipe"] });
  });

  test("a file capability is kept", () => {
    const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
    const specs: readonly Spec[] = [
      { path: "ping", content: "x", xattrs: { "security.capability": capability } },
    ];
    expect(unpackInNamespace(specs).answer).toMatchObject({ size: makeTar(specs).length, root: ["ping"] });
  });

  test("another device cannot be made, and the message says so", () => {
    expect(unpackInNamespace([{ path: "dev/null", kind: "char", major: 1, minor: 3 }]).answer).toEqual({
      code: "NOT_PERMITTED",
      message: 'Cannot unpack "dev/null": device 1:3 may not be made here',
    });
  });

  test("an owner that the namespace does not have cannot be set, and the message says so", () => {
    expect(unpackInNamespace([{ path: "f", content: "x", uid: 1000 }]).answer).toEqual({
      code: "NOT_PERMITTED",
      message: 'Cannot unpack "f": owner 1000:0 or an attribute may not be set here',
    });
  });
});
