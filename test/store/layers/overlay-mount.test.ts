import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scanUpper, settleUpper, unpackLayer, writeLayer } from "../../../src/store/layers/index.ts";
import {
  chunksOf,
  describeFolder,
  describeTree,
  isRoot,
  makeFolder,
  makeTemporaryFolder,
  readAll,
  repack,
  type Shown,
  type Spec,
  write,
} from "./support.ts";

const OPTIONS = "userxattr,redirect_dir=nofollow,metacopy=off,index=off";

/** Runs a script with a mount of its own, which goes when the script ends; stdout is a tar of what the mount shows then. */
function runInOverlay(details: {
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly script?: string;
}): Buffer {
  const folder = makeTemporaryFolder();
  mkdirSync(join(folder, "merged"));
  mkdirSync(join(folder, "work"));
  const layers = `lowerdir=${details.lower.join(":")}`;
  const writable = details.upper === undefined ? "" : `,upperdir=${details.upper},workdir=${folder}/work`;
  writeFileSync(join(folder, "steps"), details.script ?? "");
  writeFileSync(
    join(folder, "run"),
    `mount -t overlay overlay -o ${layers}${writable},${OPTIONS} ${folder}/merged || exit 70
     cd ${folder}/merged
     sh ${folder}/steps >${folder}/log 2>&1
     tar --format=pax -c -f - --sort=name .`,
  );
  const result = spawnSync("unshare", ["--mount", "sh", join(folder, "run")], { maxBuffer: 1 << 28 });
  if (result.status !== 0)
    throw new Error(`overlay: ${result.stderr.toString()} ${String(result.error ?? "")}`);
  return result.stdout;
}

const canMount = isRoot && spawnSync("unshare", ["--mount", "true"]).status === 0;

/** A tar of a mount in the form of `describeTree`. */
async function describeTar(tar: Buffer): Promise<ReadonlyMap<string, Shown & { readonly mtime: number }>> {
  const shown = new Map<string, Shown & { readonly mtime: number }>();
  for (const entry of await readAll(tar)) {
    const path = entry.name.replace(/^\.\/|\/$/g, "").replace(/\/$/, "");
    if (path === "" || path === ".") continue;
    const target = entry.kind === "hardlink" ? shown.get(entry.link.replace(/^\.\//, "")) : undefined;
    if (target !== undefined) {
      shown.set(path, { ...target, path });
      continue;
    }
    const { kind, mode, uid, gid, major, minor, mtimeSeconds } = entry;
    shown.set(path, {
      path,
      kind,
      mode,
      owner: `${uid}:${gid}`,
      content: kind === "file" ? entry.content.toString("latin1") : entry.link,
      device: `${major}:${minor}`,
      mtime: kind === "dir" ? 0 : mtimeSeconds,
    });
  }
  return shown;
}

const sorted = (shown: ReadonlyMap<string, unknown>) => [...shown].sort(([a], [b]) => (a < b ? -1 : 1));

const BOTTOM: readonly Spec[] = [
  { path: "a", kind: "dir", mode: 0o755 },
  { path: "a/one", content: "one" },
  { path: "a/two", content: "two", mode: 0o600, uid: 3, gid: 4 },
  { path: "a/sub", kind: "dir", mode: 0o700 },
  { path: "a/sub/deep", content: "deep" },
  { path: "b", kind: "dir", mode: 0o1777 },
  { path: "b/link", kind: "symlink", link: "../a/one" },
  { path: "b/pair1", content: "pair" },
  { path: "b/pair2", kind: "hardlink", link: "b/pair1" },
  { path: "c", content: "c" },
];
const TOP: readonly Spec[] = [
  { path: "a", kind: "dir", mode: 0o755 },
  { path: "a/one", content: "one, changed" },
  { path: "a/two", kind: "whiteout" },
  { path: "d", kind: "dir", mode: 0o755 },
  { path: "d/new", content: "new" },
];

/** Runs a script over the two layers and holds everything that this folder knows about the result against the kernel. */
async function check(script: string): Promise<readonly string[]> {
  const lower = [(await write(TOP)).snapshot, (await write(BOTTOM)).snapshot];
  const upper = makeFolder();
  const merged = sorted(await describeTar(runInOverlay({ lower, upper, script })));
  expect(sorted(describeTree([upper, ...lower]))).toEqual(merged);

  const entries = scanUpper(upper, lower);
  const snapshot = makeFolder();
  const chunks: Uint8Array[] = [];
  const packed = await writeLayer(entries, {
    snapshotDir: snapshot,
    onTarChunk: (chunk) => void chunks.push(chunk),
  });
  const tar = Buffer.concat(chunks);
  expect(sorted(describeTree([snapshot, ...lower]))).toEqual(merged);
  expect(sorted(await describeTar(runInOverlay({ lower: [snapshot, ...lower] })))).toEqual(merged);

  const unpacked = makeFolder();
  await unpackLayer(chunksOf(tar, 3000), unpacked, { expectedDiffId: packed.diffId });
  expect(describeFolder(unpacked)).toEqual(describeFolder(snapshot));

  settleUpper(upper, entries);
  expect(describeFolder(upper)).toEqual(describeFolder(snapshot));
  expect((await repack(upper)).equals(tar)).toBe(true);
  expect(await writeLayer(scanUpper(upper, lower))).toEqual(packed);
  return entries.map(({ kind, path }) => `${kind} ${path}`);
}

describe.skipIf(!canMount)("what a real overlay mount leaves (needs root and mount namespaces)", () => {
  test.each<readonly [string, string, readonly string[]]>([
    ["nothing done", "ls -lR", []],
    ["a file added", "echo x > a/new", ["dir a", "file a/new"]],
    ["a file changed", "echo x >> c", ["file c"]],
    ["a file removed", "rm c a/one", ["dir a", "whiteout a/one", "whiteout c"]],
    ["a removed file made and removed again", "echo x > a/two; rm a/two", []],
    ["a removed file made again", "echo x > a/two", ["dir a", "file a/two"]],
    ["a folder removed", "rm -r a/sub", ["dir a", "whiteout a/sub"]],
    [
      "a folder replaced",
      "rm -r a/sub; mkdir a/sub; echo x > a/sub/other",
      ["dir a", "dir a/sub", "opaque a/sub", "file a/sub/other"],
    ],
    ["a new folder", "mkdir -p n/m; echo x > n/m/f", ["dir n", "dir n/m", "file n/m/f"]],
    ["a new folder gone", "mkdir -p a/n/m; rm -r a/n", []],
    ["a folder replaced by a file", "rm -r b; echo x > b", ["file b"]],
    ["a folder replaced by a symlink", "rm -r b; ln -s a b", ["symlink b"]],
    ["a file replaced by a folder", "rm c; mkdir c; echo x > c/f", ["dir c", "file c/f"]],
    ["a folder renamed", "mv a/sub e", ["dir a", "whiteout a/sub", "dir e", "file e/deep"]],
    ["a file renamed over another", "mv c a/one", ["dir a", "file a/one", "whiteout c"]],
    ["a mode changed", "chmod 4711 c; chmod 711 b", ["dir b", "file c"]],
    ["a mode changed and changed back", "chmod 600 c; chmod 644 c; chmod 700 b; chmod 1777 b", []],
    [
      "an owner changed",
      "chown 7:8 a/one; chown -h 9 b/link",
      ["dir a", "file a/one", "dir b", "symlink b/link"],
    ],
    ["a time changed", "touch -d @5 c; touch -d @6 b", ["file c"]],
    ["copied up by opening for writing", "true >> c; exec 3<>a/one; exec 3>&-", []],
    [
      "hard links among new files",
      "echo x > n1; ln n1 n2; mkdir z; ln n1 z/n3",
      ["file n1", "hardlink n2", "dir z", "hardlink z/n3"],
    ],
    ["a hard link to a lower file", "ln c c2", ["file c", "hardlink c2"]],
    ["a hard link to a lower file that is changed", "ln c c2; echo more >> c2", ["file c", "hardlink c2"]],
    ["one of two lower names changed", "echo x >> b/pair1", ["dir b", "file b/pair1"]],
    [
      "a FIFO and a device",
      "mkfifo p; mknod dev c 1 3; mknod blk b 7 1",
      ["block blk", "char dev", "fifo p"],
    ],
    ["everything removed", "rm -rf a b c d", ["whiteout a", "whiteout b", "whiteout c", "whiteout d"]],
    ["a name of the layers' own", "echo x > .wh.c", ["whiteout c"]],
  ])("%s", async (name, script, expected) => {
    if (name === "a name of the layers' own") {
      // The mount shows the file and c; the layer says that c is gone. Docker's images say so too.
      const lower = [(await write(BOTTOM)).snapshot];
      const upper = makeFolder();
      runInOverlay({ lower, upper, script });
      expect(scanUpper(upper, lower).map(({ kind, path }) => `${kind} ${path}`)).toEqual(expected);
      return;
    }
    expect(await check(script)).toEqual(expected);
  });

  test("random work", async () => {
    const name = fc.constantFrom(
      "a",
      "b",
      "c",
      "d",
      "a/sub",
      "a/one",
      "b/pair1",
      "a/sub/deep",
      "d/new",
      "n",
      "a/n",
      "n/n",
    );
    const step = fc.oneof(
      name.map((at) => `rm -rf ${at}`),
      name.map((at) => `mkdir -p ${at}`),
      name.map((at) => `echo ${at} >> ${at}`),
      name.map((at) => `true >> ${at}`),
      fc.tuple(name, name).map(([from, to]) => `mv -T ${from} ${to}`),
      fc.tuple(name, name).map(([from, to]) => `ln -T ${from} ${to}`),
      fc.tuple(name, name).map(([from, to]) => `ln -sfT ${from} ${to}`),
      fc.tuple(name, name).map(([from, to]) => `cp -a -T ${from} ${to}`),
      fc.tuple(name, fc.constantFrom("700", "755", "4711")).map(([at, mode]) => `chmod ${mode} ${at}`),
      fc.tuple(name, fc.constantFrom("0:0", "3:4")).map(([at, owner]) => `chown -h ${owner} ${at}`),
      fc
        .tuple(name, fc.constantFrom("@1700000000", "@5.5"))
        .map(([at, time]) => `touch -h -c -d ${time} ${at}`),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        await check(steps.join("\n"));
      }),
      { numRuns: 60 },
    );
  });

  test("127 layers", async () => {
    const lower: string[] = [];
    for (let i = 0; i < 126; i++) {
      const specs: Spec[] = [
        { path: "d", kind: "dir", mode: 0o755 },
        { path: `d/f${i}`, content: String(i) },
      ];
      if (i > 0) specs.push({ path: `d/f${i - 1}`, kind: "whiteout" });
      lower.unshift((await write(specs)).snapshot);
    }
    const upper = makeFolder();
    writeFileSync(join(upper, "f"), "x");
    expect([...describeTree([upper, ...lower]).keys()]).toEqual(["d", "d/f125", "f"]);
    expect(scanUpper(upper, lower).map(({ path }) => path)).toEqual(["f"]);
  });
});

test("a mount leaves nothing behind", () => {
  expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain("strake-test-");
});
