import { describe, expect, test } from "vitest";
import { type Descriptor, digestOf, MEDIA_TYPES } from "../../../src/oci/index.ts";
import { listArtifactFiles, UNPACK } from "../../../src/registry/index.ts";

const TITLE = "org.opencontainers.image.title";
function layer(title: string | undefined, annotations: Readonly<Record<string, string>> = {}): Descriptor {
  return {
    mediaType: "text/plain",
    digest: digestOf(title ?? "none"),
    size: 1,
    annotations: { ...(title === undefined ? {} : { [TITLE]: title }), ...annotations },
  };
}
const pathsOf = (...titles: readonly string[]) =>
  listArtifactFiles({ layers: titles.map((title) => layer(title)) }).entries.map(({ path }) => path);

describe("listArtifactFiles()", () => {
  test("gives files the names of their titles", () => {
    expect(pathsOf("a", "b/c.json", "./d//e/", "ü nü.txt", "..f", "g..")).toEqual([
      "a",
      "b/c.json",
      "d/e",
      "ü nü.txt",
      "..f",
      "g..",
    ]);
  });

  test("takes a layer to unpack for a folder, also for the one that is pulled to", () => {
    const { entries } = listArtifactFiles({
      layers: [
        layer("d", { [UNPACK]: "true" }),
        layer(".", { [UNPACK]: "true" }),
        layer("e", { [UNPACK]: "yes" }),
      ],
    });
    expect(entries.map(({ kind, path }) => [kind, path])).toEqual([
      ["folder", "d"],
      ["folder", ""],
      ["file", "e"],
    ]);
  });

  test("tells layers without a name apart, and says nothing of the empty one", () => {
    const empty = { mediaType: MEDIA_TYPES.ociEmpty, digest: digestOf("{}"), size: 2 };
    const { entries, unnamed } = listArtifactFiles({ layers: [layer(undefined), empty, layer("")] });
    expect(entries).toEqual([]);
    expect(unnamed).toEqual([layer(undefined), layer("")]);
  });

  test.each([
    ["../x", "leads out of the folder"],
    ["a/../../x", "leads out of the folder"],
    ["a/../b", "leads out of the folder"],
    ["..", "leads out of the folder"],
    ["/etc/passwd", "is an absolute path"],
    ["//etc/passwd", "is an absolute path"],
    ["a\0b", "has a NUL character"],
    [".", "is no name of a file"],
    ["./", "is no name of a file"],
    ["x".repeat(256), "is longer than a path may be"],
    ["é".repeat(128), "is longer than a path may be"],
    [`${"d/".repeat(2050)}x`, "is longer than a path may be"],
  ])("refuses the title %j", (title, state) => {
    expect(() => pathsOf("fine", title)).toThrow(
      expect.objectContaining({ code: "DOCUMENT_INVALID", message: expect.stringContaining(state) }),
    );
  });

  test("refuses two of one name, however they are written", () => {
    expect(() => pathsOf("a/b", "a//b")).toThrow('the title "a//b" of a layer is there twice');
  });
});
