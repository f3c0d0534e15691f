import fc from "fast-check";
import { expect, test } from "vitest";
import type { ByteString } from "../../../src/oci/layer-entry.ts";
import {
  MergedTree,
  type SourcedEntry,
  scanUpper,
  unpackLayer,
  writeLayer,
} from "../../../src/store/layers/index.ts";
import { parentPath, parseWhiteout } from "../../../src/tar/index.ts";
import { chunksOf, describeFolder, isRoot, makeFolder, makeSourced, repack, write } from "./support.ts";

const anyByte = fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f);
const oddName = fc
  .array(anyByte, { minLength: 1, maxLength: 30 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"))
  .filter((name) => name !== "." && name !== ".." && parseWhiteout(name as ByteString) === undefined);
const name = fc.oneof(
  fc.constantFrom("a", "b", "a-b", "a.b", "c"),
  fc.constantFrom("n".repeat(120)),
  oddName,
);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/") as ByteString);
const id = isRoot ? fc.constantFrom(0, 0, 1, 1000, 3_000_000) : fc.constant(process.getuid?.() ?? 0);

const attributes = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: id,
  gid: id,
  // What ext4 can hold; a layer with times beyond comes back with the nearest one.
  mtimeSeconds: fc.integer({ min: -(2 ** 31), max: 2 ** 33 }),
});
const xattrs = fc.option(
  fc.dictionary(fc.constantFrom("user.a", "user.b", "user.x=y"), fc.uint8Array({ maxLength: 50 }), {
    minKeys: 1,
    noNullPrototype: true,
  }),
  { nil: undefined },
);
const thing = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("file" as const),
      content: fc.uint8Array({ maxLength: 1500 }),
      xattrs,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("dir" as const), xattrs, opaque: fc.boolean() }) },
  fc.record({ kind: fc.constant("symlink" as const), link: oddName }),
  fc.record({ kind: fc.constant("fifo" as const) }),
  fc.record({ kind: fc.constant("whiteout" as const) }),
  fc.record({ kind: fc.constant("hardlink" as const), to: fc.nat() }),
);

/** A layer that could have been built: every folder there, nothing below a file, links to files of the layer. */
const layer = fc.array(fc.tuple(path, thing, attributes), { maxLength: 15 }).map((list) => {
  const entries = new Map<ByteString, SourcedEntry>();
  const files: ByteString[] = [];
  const addFolders = (at: ByteString): boolean => {
    const known = entries.get(at);
    if (at === "" || known?.kind === "dir") return true;
    if (known !== undefined || !addFolders(parentPath(at))) return false;
    entries.set(at, { ...makeSourced({ path: "x", kind: "dir", mode: 0o755 }), path: at });
    return true;
  };
  const opaque: SourcedEntry[] = [];
  for (const [at, what, rest] of list) {
    if (entries.has(at) || !addFolders(parentPath(at))) continue;
    const base = { ...makeSourced({ path: "x", kind: what.kind }), ...rest, path: at };
    const values =
      "xattrs" in what && what.xattrs !== undefined ? { xattrs: new Map(Object.entries(what.xattrs)) } : {};
    if (what.kind === "file") {
      entries.set(at, {
        ...base,
        ...values,
        size: what.content.length,
        content: { kind: "bytes", bytes: what.content },
      });
      files.push(at);
    } else if (what.kind === "hardlink") {
      const target = files[what.to % Math.max(files.length, 1)];
      if (target !== undefined) entries.set(at, { ...base, link: target });
    } else if (what.kind === "symlink") {
      entries.set(at, { ...base, link: what.link as ByteString });
    } else {
      entries.set(at, { ...base, ...values });
      if (what.kind === "dir" && what.opaque) opaque.push({ ...base, kind: "opaque" });
    }
  }
  return [...entries.values(), ...opaque];
});

test("pack, unpack, pack again, scan: always the same layer", async () => {
  await fc.assert(
    fc.asyncProperty(layer, fc.integer({ min: 1, max: 3000 }), async (entries, chunkBytes) => {
      const { tar, packed, snapshot } = await write(entries);
      expect((await repack(snapshot)).equals(tar)).toBe(true);

      const unpacked = makeFolder();
      const result = await unpackLayer(chunksOf(tar, chunkBytes), unpacked, {
        expectedDiffId: packed.diffId,
      });
      expect(result.impliedFolders).toEqual([]);
      expect(describeFolder(unpacked)).toEqual(describeFolder(snapshot));

      // Over nothing, whiteouts and opaque marks hide nothing; all else is new.
      const scanned = scanUpper(unpacked, []);
      const shown = entries.filter(({ kind }) => kind !== "whiteout" && kind !== "opaque");
      expect(await writeLayer(scanned)).toEqual(await writeLayer(shown));

      // Over itself nothing is new but names that were linked.
      const again = scanUpper(unpacked, [snapshot]);
      expect(
        again
          .filter(({ kind }) => kind !== "opaque" && kind !== "dir")
          .every(({ path }) => isLinked(path, unpacked)),
      ).toBe(true);
    }),
    { numRuns: 150 },
  );
});

function isLinked(path: ByteString, folder: string): boolean {
  const tree = new MergedTree([folder]);
  return tree.lstat(path)?.hardlinkId !== undefined || isBelowOpaque(path, folder);
}

function isBelowOpaque(path: ByteString, folder: string): boolean {
  const opaque = scanUpper(folder, [folder]).filter(({ kind }) => kind === "opaque");
  return opaque.some((mark) => path.startsWith(`${mark.path}/`));
}

test("the same layer whatever the order of its entries", async () => {
  await fc.assert(
    fc.asyncProperty(
      layer.chain((entries) =>
        fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
      ),
      async ([entries, shuffled]) => {
        expect(await writeLayer(shuffled)).toEqual(await writeLayer(entries));
      },
    ),
    { numRuns: 150 },
  );
});
