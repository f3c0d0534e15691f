import { isIP } from "node:net";
import { describe, expect, it } from "vitest";
import { parseBooleanValue, parseExtraHost, parseSize, parseUlimit } from "../../../src/cli/args/values.ts";

const isAddress = (text: string): boolean => isIP(text) !== 0;
const USAGE = expect.objectContaining({ code: "USAGE" });

describe("parseSize()", () => {
  it.each([
    ["0", 0],
    ["65536", 65536],
    ["64m", 64 << 20],
    ["64M", 64 << 20],
    ["64mb", 64 << 20],
    ["64MiB", 64 << 20],
    ["12 k", 12 << 10],
    ["1.5g", 1.5 * 2 ** 30],
    ["1b", 1],
  ])("reads %j as %i", (text, bytes) => {
    expect(parseSize(text, "--shm-size")).toBe(bytes);
  });

  it.each(["", "m", "-1", "64x", "64mm", "1e3", "99999999p"])("refuses %j", (text) => {
    expect(() => parseSize(text, "--shm-size")).toThrow(USAGE);
  });
});

describe("parseUlimit()", () => {
  it.each([
    ["nofile=1024", { name: "nofile", soft: 1024, hard: 1024 }],
    ["nofile=1024:2048", { name: "nofile", soft: 1024, hard: 2048 }],
    ["core=-1", { name: "core", soft: -1, hard: -1 }],
    ["core=0:-1", { name: "core", soft: 0, hard: -1 }],
  ])("reads %j", (text, limit) => {
    expect(parseUlimit(text)).toEqual(limit);
  });

  it.each(["nofile", "nofile=", "nofile=a", "files=1", "nofile=2:1", "nofile=-1:5", "nofile=1:2:3"])(
    "refuses %j",
    (text) => {
      expect(() => parseUlimit(text)).toThrow(USAGE);
    },
  );
});

describe("parseExtraHost()", () => {
  it.each([
    ["db:10.0.0.1", { name: "db", address: "10.0.0.1" }],
    ["db=10.0.0.1", { name: "db", address: "10.0.0.1" }],
    ["db:::1", { name: "db", address: "::1" }],
    ["db:[::1]", { name: "db", address: "::1" }],
    ["db=fe80::2", { name: "db", address: "fe80::2" }],
    ["me:host-gateway", { name: "me", address: "127.0.0.1" }],
  ])("reads %j", (text, host) => {
    expect(parseExtraHost(text, isAddress)).toEqual(host);
  });

  it.each(["db", "db:", ":10.0.0.1", "db:elsewhere", "db:10.0.0"])("refuses %j", (text) => {
    expect(() => parseExtraHost(text, isAddress)).toThrow(USAGE);
  });
});

describe("parseBooleanValue()", () => {
  it("takes Go's spellings and no other", () => {
    expect(["1", "t", "TRUE", "0", "F", "false"].map((text) => parseBooleanValue(text, "tar"))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(() => parseBooleanValue("yes", "tar")).toThrow(USAGE);
  });
});
