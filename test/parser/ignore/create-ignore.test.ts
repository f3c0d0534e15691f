import { describe, expect, test } from "vitest";
import {
  createIgnore,
  DockerfileError,
  type IgnoreLevel,
  parseIgnorefile,
  parseIgnoreLines,
} from "../../../src/parser/index.ts";

describe("parseIgnorefile() and parseIgnoreLines()", () => {
  test("keeps patterns with their lines, cleaned", () => {
    const text = "\ufeff# comment\n\n /a/../b/ \r\n!  c//d\n #no comment\n!\n/\n./\n";
    expect(parseIgnorefile(text)).toEqual(["b", "!c/d", "#no comment", "!", "/", "."]);
    expect(parseIgnoreLines(text)).toEqual([
      { text: "b", line: 3 },
      { text: "!c/d", line: 4 },
      { text: "#no comment", line: 5 },
      { text: "!", line: 6 },
      { text: "/", line: 7 },
      { text: ".", line: 8 },
    ]);
  });

  test("reads bytes as UTF-8", () => {
    expect(parseIgnorefile(Buffer.from("é\n"))).toEqual(["é"]);
  });
});

describe("createIgnore()", () => {
  test("the last pattern that matches a path or a folder above it decides", () => {
    const ignore = createIgnore(["docs", "!docs/a.md", "docs/a.md/x"]);
    expect(["docs", "docs/b", "docs/a.md", "docs/a.md/x", "docs/a.md/y", "src"].map(ignore.excludes)).toEqual(
      [true, true, false, true, false, false],
    );
  });

  test("a bad pattern is placed only if it stands in a file", () => {
    const hint = (work: () => unknown): unknown => {
      try {
        return work();
      } catch (error) {
        return (error as DockerfileError).hint;
      }
    };
    expect(hint(() => createIgnore(["a["]))).toMatch(/^a \[ needs/);
    expect(hint(() => createIgnore(parseIgnoreLines("x\na[")))).toMatch(
      /^See line 2 of the ignore file: a \[/,
    );
  });

  test("says which line excluded a path", () => {
    const ignore = createIgnore(parseIgnoreLines("# logs\n*.log\n!keep.log\nkeep*\n"));
    expect(ignore.reason("a.log")).toEqual({ text: "*.log", line: 2 });
    expect(ignore.reason("keep.log")).toEqual({ text: "keep*", line: 4 });
    expect(ignore.reason("a.txt")).toBeUndefined();
  });

  test("the root is never excluded", () => {
    expect(createIgnore(["**"]).excludes(".")).toBe(false);
  });

  test.each(["[", "a[", "[]a]", "foo\\", "!"])("refuses %s", (pattern) => {
    expect(() => createIgnore(["ok", pattern])).toThrow(
      expect.objectContaining({ code: "BAD_IGNORE_PATTERN" }),
    );
  });

  test("braces and bars are repetitions and alternatives beside a wildcard, as in Docker", () => {
    expect(createIgnore(["a{2}*"]).excludes("aab")).toBe(true);
    expect(createIgnore(["*.md|x"]).excludes("dir/yx")).toBe(true);
    expect(createIgnore(["*.{js,ts}"]).excludes("a.js")).toBe(false);
    expect(createIgnore(["a{2}"]).excludes("a{2}")).toBe(true);
  });

  test("a fault behind a star goes unnoticed, unless it is one for matching too", () => {
    expect(createIgnore(["x*a\\"]).excludes("a")).toBe(false);
    expect(() => createIgnore(["x*["]).excludes("a")).toThrow(DockerfileError);
  });

  test("a pattern with a fault that only shows in use is refused then", () => {
    const ignore = createIgnore(["x", "[z-a]"]);
    expect(ignore.excludes("x")).toBe(true);
    expect(() => ignore.excludes("m")).toThrow(DockerfileError);
  });
});

describe("a walk", () => {
  interface Tree {
    readonly [name: string]: Tree | null;
  }
  const tree: Tree = {
    "a.md": null,
    docs: { "a.md": null, deep: { "b.md": null, "c.txt": null } },
    node_modules: { x: { "index.js": null } },
    src: { "main.ts": null, node_modules: { y: null } },
  };

  /** Paths that a walk sends, and folders that it never opened. */
  function walk(level: IgnoreLevel, folder: Tree, prefix: string): { sent: string[]; skipped: string[] } {
    const sent: string[] = [];
    const skipped: string[] = [];
    for (const [name, inside] of Object.entries(folder)) {
      const path = prefix === "" ? name : `${prefix}/${name}`;
      const visit = level.visit(path);
      if (!visit.excluded) sent.push(path);
      if (inside === null) continue;
      if (visit.canSkip) {
        skipped.push(path);
        continue;
      }
      const below = walk(visit.inside, inside, path);
      sent.push(...below.sent);
      skipped.push(...below.skipped);
    }
    return { sent, skipped };
  }

  test.each([
    [["**/node_modules"], ["node_modules", "src/node_modules"]],
    [["docs", "!docs/deep"], []],
    [["docs", "node_modules", "!docs/deep/*"], ["node_modules"]],
    [["docs", "node_modules", "!**/*.md"], []],
    [
      ["*", "!src"],
      ["docs", "node_modules"],
    ],
  ])("%j skips %j and sends what is not excluded", (patterns, skippedWanted) => {
    const ignore = createIgnore(patterns);
    const { sent, skipped } = walk(ignore.walker(), tree, "");
    const everything = walk(createIgnore([]).walker(), tree, "").sent;
    expect(skipped).toEqual(skippedWanted);
    expect(sent).toEqual(everything.filter((path) => !ignore.excludes(path)));
  });
});
