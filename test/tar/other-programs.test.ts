import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeHeader, toLayerEntry } from "../../src/tar/index.ts";
import {
  hasProgram,
  makeEntry,
  makeTar,
  makeTemporaryFolder,
  type ReadEntry,
  readAll,
  run,
  SAMPLE,
  type Spec,
} from "./support.ts";

const END = Buffer.alloc(1024);

describe("archives of GNU tar and bsdtar", () => {
  function makeTree(): string {
    const folder = makeTemporaryFolder();
    mkdirSync(join(folder, "dir/sub"), { recursive: true });
    writeFileSync(join(folder, "dir/file"), "content");
    writeFileSync(join(folder, "dir/big"), Buffer.alloc(70_000, "big"));
    linkSync(join(folder, "dir/file"), join(folder, "dir/hard"));
    symlinkSync("../file", join(folder, "dir/sub/link"));
    chmodSync(join(folder, "dir/file"), 0o4711);
    utimesSync(join(folder, "dir/file"), 1_500_000_000.75, 1_500_000_000.75);
    return folder;
  }
  const inTree = (entries: readonly ReadEntry[]) =>
    Object.fromEntries(entries.map((entry) => [entry.name.replace(/^\.\//, "").replace(/\/$/, ""), entry]));

  const writers: readonly (readonly [string, string, readonly string[]])[] = [
    ["gnu", "tar", ["--format=gnu"]],
    ["oldgnu", "tar", ["--format=oldgnu"]],
    ["ustar", "tar", ["--format=ustar"]],
    ["pax", "tar", ["--format=pax"]],
    ["v7", "tar", ["--format=v7"]],
    ["gnu numeric", "tar", ["--format=gnu", "--numeric-owner", "--sort=name"]],
    ["bsdtar pax", "bsdtar", ["--format=pax"]],
    ["bsdtar gnutar", "bsdtar", ["--format=gnutar"]],
    ["bsdtar ustar", "bsdtar", ["--format=ustar"]],
    ["bsdtar v7tar", "bsdtar", ["--format=v7"]],
  ];
  for (const [label, program, args] of writers) {
    test.skipIf(!hasProgram(program))(`${label}: files, links, modes, times`, async () => {
      const folder = makeTree();
      const tar = run(program, ["-c", "-f", "-", ...args, "-C", folder, "."]);
      const entries = inTree(await readAll(tar, { chunkBytes: 1000 }));
      expect(entries["dir/sub"]).toMatchObject({ kind: "dir", mode: 0o755 });
      expect(entries["dir/big"]?.content.equals(Buffer.alloc(70_000, "big"))).toBe(true);
      expect(entries["dir/sub/link"]).toMatchObject({ kind: "symlink", link: "../file" });
      const pair = [entries["dir/file"], entries["dir/hard"]];
      const file = pair.find((entry) => entry?.kind === "file");
      expect(file).toMatchObject({ mode: 0o4711, mtimeSeconds: 1_500_000_000, size: 7 });
      expect(file?.content.toString()).toBe("content");
      const link = pair.find((entry) => entry?.kind === "hardlink");
      expect(toLayerEntry(link as ReadEntry)?.link).toBe(toLayerEntry(file as ReadEntry)?.path);
    });
  }

  for (const [label, program, args] of writers.filter(([label]) => !/ustar|v7/.test(label))) {
    test.skipIf(!hasProgram(program))(`${label}: long names and names that are no ASCII`, async () => {
      const folder = makeTemporaryFolder();
      const long = `${"a".repeat(90)}/${"b".repeat(200)}`;
      mkdirSync(join(folder, "a".repeat(90)));
      writeFileSync(join(folder, long), "1");
      symlinkSync("t".repeat(300), join(folder, "link"));
      writeFileSync(join(folder, "größe"), "2");
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x62, 0xff, 0x64])]), "3");
      const entries = inTree(await readAll(run(program, ["-c", "-f", "-", ...args, "-C", folder, "."])));
      expect(entries[long]?.content.toString()).toBe("1");
      expect(entries["link"]?.link).toBe("t".repeat(300));
      expect(entries[Buffer.from("größe").toString("latin1")]?.content.toString()).toBe("2");
      expect(entries["b\xffd"]?.content.toString()).toBe("3");
    });
  }

  test.skipIf(!hasProgram("tar"))("owners beyond octal and times before 1970 in GNU's base-256", async () => {
    const folder = makeTemporaryFolder();
    writeFileSync(join(folder, "f"), "x");
    const args = ["-c", "-f", "-", "--format=gnu", "--owner=:4294967294", "--group=:3000000", "--mtime=@-77"];
    const [entry] = await readAll(run("tar", [...args, "-C", folder, "f"]));
    expect(entry).toMatchObject({ uid: 4294967294, gid: 3000000, mtimeSeconds: -77 });
  });

  test.skipIf(!hasProgram("tar"))(
    "a global PAX header gives defaults, a volume label is passed over",
    async () => {
      const folder = makeTemporaryFolder();
      writeFileSync(join(folder, "f"), "x");
      const global = run("tar", [
        "-c",
        "-f",
        "-",
        "--format=pax",
        "--pax-option=gid=77,comment=hi",
        "-C",
        folder,
        "f",
      ]);
      expect(global.includes("comment=hi")).toBe(true);
      expect(await readAll(global)).toMatchObject([{ name: "f", gid: 77 }]);
      const labelled = run("tar", ["-c", "-f", "-", "--format=gnu", "--label=LABEL", "-C", folder, "f"]);
      expect(await readAll(labelled)).toMatchObject([{ name: "f" }]);
    },
  );

  test.skipIf(!hasProgram("tar"))("xattrs that GNU tar wrote", async () => {
    const folder = makeTemporaryFolder();
    writeFileSync(join(folder, "f"), "x");
    run("python3", ["-c", `import os; os.setxattr("${folder}/f", "user.a=b", bytes(range(256)))`]);
    const [entry] = await readAll(run("tar", ["-c", "-f", "-", "--xattrs", "-C", folder, "f"]));
    expect(entry?.xattrs?.get("user.a=b")).toEqual(Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
  });
});

describe("archives that GNU tar, bsdtar and Python read", () => {
  const specs: readonly Spec[] = [...SAMPLE, { path: "big-owner", uid: 3_000_000, content: "z" }];

  test.skipIf(!hasProgram("tar"))("GNU tar lists ours without a complaint", () => {
    const listing = run("tar", ["-tf", "-", "--quoting-style=literal"], makeTar(specs)).toString();
    expect(listing.trim().split("\n")).toEqual(
      specs.map(({ path, kind }) => (kind === "dir" ? `${path}/` : path)),
    );
  });

  test.skipIf(!hasProgram("bsdtar"))("bsdtar unpacks ours", () => {
    const folder = makeTemporaryFolder();
    run("bsdtar", ["-xf", "-", "-C", folder], makeTar(specs.filter(({ kind }) => kind !== "char")));
    expect(run("cat", [join(folder, `d/${"long".repeat(60)}`)]).toString()).toBe("x".repeat(512));
    expect(run("cat", [join(folder, "d/h")]).toString()).toBe("hello");
  });

  test.skipIf(!hasProgram("python3"))("Python's tarfile sees the same fields", () => {
    const script = `
import sys, tarfile, json
out = []
for m in tarfile.open(fileobj=sys.stdin.buffer, mode="r|"):
    out.append([m.name, m.type.decode(), m.mode, m.uid, m.size, m.mtime, m.linkname, m.devmajor, m.devminor])
print(json.dumps(out))`;
    const listing = JSON.parse(run("python3", ["-c", script], makeTar(specs)).toString()) as unknown[][];
    expect(listing).toEqual(
      specs.map((spec) => {
        const entry = makeEntry(spec);
        const type = { file: "0", dir: "5", hardlink: "1", symlink: "2", char: "3", fifo: "6" }[
          entry.kind as "file"
        ];
        const link = spec.link ?? "";
        const { mode, uid, size, mtimeSeconds } = entry;
        return [spec.path, type, mode, uid, size, mtimeSeconds, link, entry.major ?? 0, entry.minor ?? 0];
      }),
    );
  });

  test.skipIf(!hasProgram("python3"))("Python gives back a name that is no UTF-8, and a binary xattr", () => {
    const tar = Buffer.concat([
      encodeHeader({
        ...makeEntry({ path: "x", xattrs: { "user.b": Buffer.from([0, 255]) } }),
        path: "a\xffb" as never,
      }),
      END,
    ]);
    const script = `
import sys, tarfile
m = next(iter(tarfile.open(fileobj=sys.stdin.buffer, mode="r|", encoding="utf-8", errors="surrogateescape")))
print(m.name.encode("utf-8", "surrogateescape").hex(), m.pax_headers["SCHILY.xattr.user.b"].encode("utf-8", "surrogateescape").hex())`;
    expect(run("python3", ["-c", script], tar).toString().trim()).toBe("61ff62 00ff");
  });
});
