import { describe, expect, test } from "vitest";
import {
  downloadMtimeSeconds,
  downloadName,
  parseChecksum,
  verifyChecksum,
} from "../../../src/builder/files/index.ts";

test.each([
  ["http://h/f.txt", "f.txt"],
  ["https://h:8/a/b/f.tar.gz?x=/y#z/w", "f.tar.gz"],
  ["http://h/a/b/", "b"],
  ["http://h/", "__unnamed__"],
  ["http://h", "__unnamed__"],
  ["http://h?x/y", "__unnamed__"],
  ["http://h/a%20b", "a b"],
  ["http://h/a%2Fb", "b"],
  ["http://h/%c3%a9", "\xc3\xa9"],
  ["http://h/100%", "__unnamed__"],
  ["http://h/..", "__unnamed__"],
])("%s is stored as %s", (url, name) => {
  expect(downloadName(url)).toBe(name);
});

test("the time is the server's, or 1970", () => {
  expect(downloadMtimeSeconds("Tue, 14 Nov 2023 22:13:20 GMT")).toBe(1700000000);
  expect(downloadMtimeSeconds("yesterday")).toBe(0);
  expect(downloadMtimeSeconds(null)).toBe(0);
});

describe("checksums", () => {
  const hex = "a".repeat(64);

  test("have a known algorithm and the digits for it", () => {
    expect(parseChecksum(`sha256:${hex}`)).toEqual({ algorithm: "sha256", hex });
    expect(parseChecksum(`sha512:${"0".repeat(128)}`).algorithm).toBe("sha512");
  });

  test.each([
    ["md5:abc", "unsupported digest algorithm"],
    ["sha256:abc", "invalid checksum digest length"],
    [hex, "invalid checksum digest format"],
    [`sha256:${"A".repeat(64)}`, "invalid checksum digest format"],
    ["sha256:", "invalid checksum digest format"],
    ["", "invalid checksum digest format"],
  ])("%j: %s", (text, message) => {
    expect(() => parseChecksum(text)).toThrow(message);
  });

  test("that differ are an error with both", () => {
    const expected = parseChecksum(`sha256:${hex}`);
    expect(() => verifyChecksum("http://h/f", expected, hex)).not.toThrow();
    expect(() => verifyChecksum("http://h/f", expected, "b".repeat(64))).toThrow(
      `digest mismatch sha256:${"b".repeat(64)}: sha256:${hex}`,
    );
  });
});
