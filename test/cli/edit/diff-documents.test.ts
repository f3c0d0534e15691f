import { describe, expect, it } from "vitest";
import { diffDocuments } from "../../../src/cli/edit/diff-documents.ts";

describe("diffDocuments()", () => {
  it("tells values by where they stand", () => {
    const before = { os: "linux", config: { Env: ["A=1", "B=1", "C=1"], User: "x", Labels: { "a.b": "1" } } };
    const after = { os: "linux", config: { Env: ["A=1", "B=2", "C=1"], Labels: { "a.b": "2", c: "3" } } };
    expect(diffDocuments(before, after)).toEqual([
      { path: "config.Env[1]", before: "B=1" },
      { path: "config.Env[1]", after: "B=2" },
      { path: "config.User", before: "x" },
      { path: 'config.Labels["a.b"]', before: "1", after: "2" },
      { path: "config.Labels.c", after: "3" },
    ]);
  });

  it("tells what is new or gone by its parts", () => {
    expect(diffDocuments({}, { config: { Labels: { a: "b" } } })).toEqual([
      { path: "config.Labels.a", after: "b" },
    ]);
    expect(diffDocuments({ list: ["x", "y"] }, {})).toEqual([
      { path: "list[0]", before: "x" },
      { path: "list[1]", before: "y" },
    ]);
    expect(diffDocuments({}, { empty: {} })).toEqual([{ path: "empty", after: {} }]);
  });

  it("takes no member that every object has for one of the document's", () => {
    const after = JSON.parse('{"Labels":{"constructor":"x","__proto__":"y"}}');
    expect(diffDocuments({ Labels: { toString: "z" } }, after)).toEqual([
      { path: "Labels.toString", before: "z" },
      { path: "Labels.constructor", after: "x" },
      { path: "Labels.__proto__", after: "y" },
    ]);
  });

  it("has nothing to tell of what is the same", () => {
    expect(diffDocuments({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toEqual([]);
  });
});
