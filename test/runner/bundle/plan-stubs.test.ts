import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type MountTarget, planStubs } from "../../../src/runner/bundle/plan-stubs.ts";
import { writeStubLayer } from "../../../src/runner/bundle/write-stub-layer.ts";

const root = mkdtempSync(join(tmpdir(), "strake-test-"));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;

/** A layer with these paths: `dir/`, `file`, or `link -> target`. */
function layer(...paths: readonly string[]): string {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  for (const path of paths) {
    const [name = "", target] = path.split(" -> ");
    const full = join(folder, name);
    if (path.endsWith("/")) mkdirSync(full, { recursive: true });
    else if (target !== undefined) symlinkSync(target, full);
    else writeFileSync(full, "");
  }
  return folder;
}

function plan(
  layers: readonly string[],
  targets: readonly string[],
  opaque: readonly string[] = [],
): readonly string[] {
  const list = targets.map((path): MountTarget => {
    const isDirectory = path.endsWith("/");
    return { path: isDirectory ? path.slice(0, -1) : path, kind: isDirectory ? "dir" : "file" };
  });
  return planStubs(layers, list, (path) => opaque.includes(path)).map(
    ({ path, kind, like }) => `/${path}${kind === "dir" ? "/" : ""}${like === undefined ? "" : " (there)"}`,
  );
}

describe("planStubs()", () => {
  test("plans nothing for what is there, in whatever layer", () => {
    expect(plan([layer("etc/"), layer("proc/", "etc/", "etc/hosts")], ["/proc/", "/etc/hosts"])).toEqual([]);
  });

  test("plans a missing place with its missing parents, below parents that look as they do", () => {
    expect(plan([layer("a/")], ["/a/b/c", "/d/"])).toEqual([
      "// (there)",
      "/a/ (there)",
      "/a/b/",
      "/a/b/c",
      "/d/",
    ]);
  });

  test("plans everything for a root file system without layers", () => {
    expect(plan([], ["/proc/", "/etc/hosts"])).toEqual(["//", "/proc/", "/etc/", "/etc/hosts"]);
  });

  test("plans nothing below an earlier target, which hides what is there", () => {
    expect(plan([layer()], ["/a/", "/a/b/", "/ab/"])).toEqual(["// (there)", "/a/", "/ab/"]);
  });

  test.each([
    ["relative", "etc/resolv.conf -> ../run/r/stub"],
    ["absolute", "etc/resolv.conf -> /run/r/stub"],
    ["climbing out", "etc/resolv.conf -> ../../../../run/r/stub"],
  ])("follows a symlink inside the root: %s", (_, link) => {
    expect(plan([layer("etc/", link, "run/")], ["/etc/resolv.conf"])).toEqual([
      "// (there)",
      "/run/ (there)",
      "/run/r/",
      "/run/r/stub",
    ]);
  });

  test("follows symlinks in the middle of a path, and reckons `..` behind a missing name by text", () => {
    expect(plan([layer("var/", "var/run -> ../run", "run/")], ["/var/run/secrets/x"])).toContain(
      "/run/secrets/x",
    );
    expect(plan([layer("l -> missing/../other/x")], ["/l"])).toEqual(["// (there)", "/other/", "/other/x"]);
  });

  test("gives up on a circle of symlinks and on a file in the way, which the runtime reports", () => {
    expect(plan([layer("a -> b", "b -> a", "f")], ["/a/x/", "/f/x/"])).toEqual([]);
  });

  test("does not see through an opaque folder", () => {
    const above = layer("a/");
    expect(plan([above, layer("a/b/")], ["/a/b/"], [`${above}/a`])).toEqual([
      "// (there)",
      "/a/ (there)",
      "/a/b/",
    ]);
    expect(plan([above, layer("a/b/")], ["/a/b/"])).toEqual([]);
  });
});

describe("writeStubLayer()", () => {
  test("makes parents look as they do below, down to the second of their times", () => {
    const below = layer("etc/");
    utimesSync(join(below, "etc"), 1_000_000_000.999999, 1_500_000_000.999999);
    const stubs = planStubs([below], [{ path: "/etc/deep/hosts", kind: "file" }], () => false);
    const folder = layer();
    writeStubLayer(folder, stubs);
    const made = statSync(join(folder, "etc"));
    expect(Math.floor(made.mtimeMs / 1000)).toBe(1_500_000_000);
    expect(made.mode & 0o7777).toBe(statSync(join(below, "etc")).mode & 0o7777);
    expect(statSync(join(folder, "etc/deep")).mode & 0o7777).toBe(0o755);
    expect(statSync(join(folder, "etc/deep/hosts"))).toMatchObject({ size: 0 });
  });
});
