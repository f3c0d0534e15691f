import { expect, test } from "vitest";
import type { ByteString } from "../../src/oci/layer-entry.ts";
import { parseWhiteout } from "../../src/tar/index.ts";

test.each([
  ["a/.wh.b", { kind: "whiteout", path: "a/b" }],
  [".wh.b", { kind: "whiteout", path: "b" }],
  ["a/.wh..b", { kind: "whiteout", path: "a/.b" }],
  ["a/.wh..wh..opq", { kind: "opaque", path: "a" }],
  [".wh..wh..opq", { kind: "opaque", path: "" }],
  ["a/.wh..wh.plnk", { kind: "ignored" }],
  [".wh..wh.aufs", { kind: "ignored" }],
  ["a/.wh.", { kind: "ignored" }],
  ["a/.wh..", { kind: "ignored" }],
  ["a/.wh...", { kind: "ignored" }],
  ["a/b", undefined],
  [".wh.a/b", undefined],
  ["a.wh.b", undefined],
  ["", undefined],
])("parseWhiteout(%j) is %j", (path, expected) => {
  expect(parseWhiteout(path as ByteString)).toEqual(expected);
});
