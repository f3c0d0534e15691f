import { describe, expect, it } from "vitest";
import { checkAnnotatedPlatforms, splitAnnotations } from "../../../src/builder/export/annotations.ts";

const AMD = { os: "linux", architecture: "amd64" };
const ARM = { os: "linux", architecture: "arm", variant: "v7" };

describe("splitAnnotations()", () => {
  it("takes any key, whatever objects call so", () => {
    const { manifest } = splitAnnotations([{ key: "__proto__", value: "x" }]);
    expect(Object.entries(manifest)).toEqual([["__proto__", "x"]]);
  });

  it("sorts by prefix, manifest being the default; a key may have colons itself", () => {
    const given = [
      { key: "plain", value: "1" },
      { key: "index:x", value: "2" },
      { key: "manifest,manifest-descriptor:a:b", value: "3" },
      { key: "index-descriptor:y", value: "4" },
    ];
    expect(splitAnnotations(given, AMD)).toEqual({
      manifest: { plain: "1", "a:b": "3" },
      index: { x: "2" },
      manifestDescriptor: { "a:b": "3" },
      indexDescriptor: { y: "4" },
    });
    expect(splitAnnotations([])).toEqual({
      manifest: {},
      index: {},
      manifestDescriptor: {},
      indexDescriptor: {},
    });
  });

  it("gives a platform its own, which win over those for all, in whatever order they came", () => {
    const given = [
      { key: "manifest[linux/arm/v7]:k", value: "arm" },
      { key: "k", value: "all" },
    ];
    expect(splitAnnotations(given, ARM).manifest).toEqual({ k: "arm" });
    expect(splitAnnotations(given, AMD).manifest).toEqual({ k: "all" });
    expect(splitAnnotations([{ key: "manifest[linux/arm]:k", value: "v" }], ARM).manifest).toEqual({
      k: "v",
    });
  });

  it.each([
    ["bogus:k", /unknown place "bogus"/],
    ["index[linux/amd64]:k", /an index has no platform/],
    ["manifest[linux]x:k", /unknown place/],
    ["__proto__:k", /unknown place/],
  ])("refuses %s", (key, message) => {
    expect(() => splitAnnotations([{ key, value: "v" }])).toThrow(message);
  });
});

describe("checkAnnotatedPlatforms()", () => {
  it("refuses a platform that is not built", () => {
    const given = [{ key: "manifest[linux/arm64]:k", value: "v" }];
    expect(() => checkAnnotatedPlatforms(given, [AMD, ARM])).toThrow(/linux\/arm64 is not built/);
    expect(() =>
      checkAnnotatedPlatforms([{ key: "manifest[linux/arm/v7]:k", value: "v" }], [ARM]),
    ).not.toThrow();
  });
});
