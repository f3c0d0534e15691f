import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unpackLayer } from "../../../src/store/layers/index.ts";
import { chunksOf, describeFolder, isRoot, makeTar, makeTemporaryFolder, type Spec } from "./support.ts";

/** A folder with something worth attacking beside the one that is unpacked into. */
function makeArena() {
  const arena = makeTemporaryFolder();
  const dir = join(arena, "layer");
  mkdirSync(dir);
  mkdirSync(join(arena, "outside/a"), { recursive: true });
  writeFileSync(join(arena, "outside/secret"), "secret", { mode: 0o600 });
  writeFileSync(join(arena, "victim"), "victim");
  const intact = describeFolder(join(arena, "outside"));
  return {
    arena,
    dir,
    unpack: (specs: readonly Spec[]) => unpackLayer(chunksOf(makeTar(specs), 5000), dir),
    /** Whatever happened inside, nothing may have happened outside. */
    expectIntact: () => {
      expect(describeFolder(join(arena, "outside"))).toEqual(intact);
      expect(readFileSync(join(arena, "victim"), "utf8")).toBe("victim");
      expect(
        describeFolder(arena)
          .filter((line) => /^[^/]+ /.test(line))
          .map((line) => line.split(" ")[0]),
      ).toEqual(["layer", "outside", "victim"]);
    },
  };
}

describe("names that lead out", () => {
  test.each([
    ["a file", { path: "../victim", content: "x" }],
    ["a file, later in the path", { path: "a/../../victim", content: "x" }],
    ["a folder", { path: "../new", kind: "dir" }],
    ["a whiteout", { path: "../victim", kind: "whiteout" }],
    ["an opaque mark", { path: "../outside", kind: "opaque" }],
    ["the target of a hard link", { path: "h", kind: "hardlink", link: "../outside/secret" }],
    ["an absolute one that climbs", { path: "/../victim", content: "x" }],
  ] as const)("%s is refused", async (_name, spec) => {
    const arena = makeArena();
    await expect(arena.unpack([spec])).rejects.toMatchObject({ code: "PATH_ESCAPES" });
    arena.expectIntact();
  });

  test("absolute names stay inside", async () => {
    const arena = makeArena();
    await arena.unpack([{ path: join(arena.arena, "victim"), content: "x" }]);
    arena.expectIntact();
    expect(readFileSync(join(arena.dir, arena.arena, "victim"), "utf8")).toBe("x");
  });
});

describe("symlinks that lead out are followed inside the layer, as in a container", () => {
  const outward = (arena: string): readonly (readonly [string, string])[] => [
    ["absolute", join(arena, "outside")],
    ["relative", "../outside"],
    ["relative with detours", "./../layer/../../../../../../..".concat(arena, "/outside")],
    ["to the root", "/"],
  ];
  for (const index of [0, 1, 2, 3]) {
    test(`link ${index}: files, folders, whiteouts, links and opaque marks through it`, async () => {
      const arena = makeArena();
      const [, target] = outward(arena.arena)[index] as readonly [string, string];
      await arena.unpack([
        { path: "out", kind: "symlink", link: target },
        { path: "out/secret", content: "overwritten" },
        { path: "out/new", kind: "dir" },
        { path: "out/new/file", content: "x" },
        { path: "out/victim", kind: "whiteout" },
        { path: "out", kind: "opaque" },
        { path: "out/link", kind: "symlink", link: "x" },
      ]);
      arena.expectIntact();
      expect(lstatSync(join(arena.dir, "out")).isSymbolicLink()).toBe(true);
    });
  }

  test("a hard link through one finds no file outside", async () => {
    const arena = makeArena();
    for (const link of ["out/secret", "out/../outside/secret"]) {
      const specs: readonly Spec[] = [
        { path: "out", kind: "symlink", link: join(arena.arena, "outside") },
        { path: "stolen", kind: "hardlink", link },
      ];
      await expect(arena.unpack(specs)).rejects.toMatchObject({ code: "LINK_TARGET_MISSING" });
      arena.expectIntact();
    }
  });

  test("a file over a symlink replaces it and does not write through it", async () => {
    const arena = makeArena();
    await arena.unpack([
      { path: "f", kind: "symlink", link: join(arena.arena, "victim") },
      { path: "f", content: "x", mode: 0o777 },
    ]);
    arena.expectIntact();
    expect(readFileSync(join(arena.dir, "f"), "utf8")).toBe("x");
  });

  test("a hard link to a symlink changes no mode, owner or time of its target", async () => {
    const arena = makeArena();
    const before = lstatSync(join(arena.arena, "outside/secret"));
    await arena
      .unpack([
        { path: "l", kind: "symlink", link: join(arena.arena, "outside/secret") },
        {
          path: "h",
          kind: "hardlink",
          link: "l",
          mode: 0o777,
          uid: isRoot ? 5 : 0,
          mtimeSeconds: 1,
          xattrs: { "security.capability": Buffer.alloc(20) },
        },
      ])
      .catch((error: unknown) =>
        expect(error).toMatchObject({ name: expect.stringMatching(/LayerError|SysError/) }),
      );
    expect(lstatSync(join(arena.arena, "outside/secret"))).toEqual({
      ...before,
      atimeMs: expect.anything(),
      atime: expect.anything(),
    });
    arena.expectIntact();
  });

  test("a folder that becomes a symlink in between is not trusted any more", async () => {
    const arena = makeArena();
    await arena.unpack([
      { path: "d/sub", kind: "dir" },
      { path: "d/sub/one", content: "1" },
      { path: "d", kind: "symlink", link: "../outside" },
      { path: "d/sub/two", content: "2" },
      { path: "d/secret", content: "x" },
    ]);
    arena.expectIntact();
  });

  test("nor do folders below it get their times there", async () => {
    const arena = makeArena();
    await arena.unpack([
      { path: "d/a", kind: "dir", mtimeSeconds: 1 },
      { path: "d", kind: "symlink", link: "../outside" },
    ]);
    arena.expectIntact();
  });

  test("nor does one that leads to itself keep their times from being set", async () => {
    const arena = makeArena();
    await arena.unpack([
      { path: "d/a", kind: "dir" },
      { path: "d", kind: "symlink", link: "d/a" },
      { path: "e", kind: "dir", mtimeSeconds: 1 },
    ]);
    expect(lstatSync(join(arena.dir, "e")).mtimeMs).toBe(1000);
  });

  test("a loop of symlinks is an error, not a hang", async () => {
    const arena = makeArena();
    const specs: readonly Spec[] = [
      { path: "a", kind: "symlink", link: "b" },
      { path: "b", kind: "symlink", link: "a" },
      { path: "a/f", content: "x" },
    ];
    await expect(arena.unpack(specs)).rejects.toMatchObject({ code: "ENTRY_INVALID" });
  });

  test("a chain of symlinks that doubles at each step is an error, not a hang", async () => {
    const arena = makeArena();
    const specs: Spec[] = [{ path: "l0", kind: "symlink", link: "." }];
    for (let i = 1; i < 60; i++) specs.push({ path: `l${i}`, kind: "symlink", link: `l${i - 1}/l${i - 1}` });
    specs.push({ path: "l59/f", content: "x" });
    await expect(arena.unpack(specs)).rejects.toMatchObject({ code: "ENTRY_INVALID" });
  });
});

test("what was in the folder before is no way out either", async () => {
  const arena = makeArena();
  symlinkSync("../outside", join(arena.dir, "out"));
  await arena.unpack([{ path: "out/secret", content: "x" }]);
  arena.expectIntact();
});

test("a name below a file is an error", async () => {
  const arena = makeArena();
  await expect(arena.unpack([{ path: "f" }, { path: "f/x" }])).rejects.toMatchObject({
    code: "ENTRY_INVALID",
  });
});

test("a layer that takes its own folders away again and again stays linear", async () => {
  const arena = makeArena();
  const specs: Spec[] = [];
  for (let i = 0; i < 1500; i++) specs.push({ path: `d${i}`, kind: "dir" });
  for (let i = 0; i < 1500; i++) specs.push({ path: "x", kind: i % 2 === 0 ? "dir" : "fifo" });
  await arena.unpack(specs);
  expect(existsSync(join(arena.dir, "d1499"))).toBe(true);
});

test("no sequence of entries reaches outside", async () => {
  const path = fc
    .array(fc.constantFrom("a", "b", "c", "..", ".", ""), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("/"));
  const spec = fc.record({
    path,
    kind: fc.constantFrom("file", "dir", "symlink", "hardlink", "whiteout", "opaque"),
    link: fc.oneof(
      path,
      path.map((text) => `/${text}`),
      fc.constantFrom("../outside", "../../..", "/", "../outside/secret", "../victim"),
    ),
    content: fc.constant("x"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(spec, { minLength: 1, maxLength: 12 }), async (specs) => {
      const arena = makeArena();
      try {
        await arena.unpack(
          specs.map(({ content, ...rest }) => (rest.kind === "file" ? { ...rest, content } : rest)) as Spec[],
        );
      } catch (error) {
        expect([
          "PATH_ESCAPES",
          "ENTRY_INVALID",
          "LINK_TARGET_MISSING",
          "HEADER_INVALID",
          "ENOENT",
        ]).toContain((error as { code: string }).code);
      }
      arena.expectIntact();
    }),
    { numRuns: 400 },
  );
});
