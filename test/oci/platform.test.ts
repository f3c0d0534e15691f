import { describe, expect, test } from "vitest";
import {
  choosePlatform,
  type Descriptor,
  digestOf,
  formatPlatform,
  hostPlatform,
  type ImageIndex,
  isSamePlatform,
  listPlatforms,
  MEDIA_TYPES,
  parsePlatform,
} from "../../src/oci/index.ts";

const HOST = { os: "linux", architecture: "arm", variant: "v7" };

describe("parsePlatform()", () => {
  test.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["Linux/AARCH64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/arm64/9", "linux/arm64/v9"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/6", "linux/arm/v6"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/i386", "linux/386"],
    ["macos/arm64", "darwin/arm64"],
    ["amd64", "linux/amd64"],
    ["aarch64", "linux/arm64"],
    ["linux", "linux/arm/v7"],
    ["windows(10.0.17763.1)/amd64", "windows(10.0.17763.1)/amd64"],
    ["foo/bar", "foo/bar"],
  ])("reads %s as %s", (text, normalized) => {
    expect(formatPlatform(parsePlatform(text, HOST))).toBe(normalized);
  });

  test.each([
    ["bo/gus/xx/yy", "cannot parse platform specifier"],
    ["", "no valid component"],
    ["linux/", "no valid component"],
    ["linux/arm 64", "no valid component"],
    ["linux/*", "wildcards"],
    ["bogus", "unknown operating system or architecture"],
    ["linux(x/amd64", "no valid component"],
  ])("rejects %j", (text, fault) => {
    expect(() => parsePlatform(text, HOST)).toThrow(fault);
  });
});

test("hostPlatform() has Go's names and is always Linux", () => {
  expect(formatPlatform(hostPlatform("x64"))).toBe("linux/amd64");
  expect(formatPlatform(hostPlatform("arm64"))).toBe("linux/arm64");
  expect(formatPlatform(hostPlatform("arm", "6"))).toBe("linux/arm/v6");
  expect(formatPlatform(hostPlatform("arm", undefined))).toMatch(/^linux\/arm\/v[67]$/);
  expect(formatPlatform(hostPlatform("ppc64"))).toBe("linux/ppc64le");
  expect(hostPlatform().os).toBe("linux");
});

test("isSamePlatform() compares after normalisation", () => {
  expect(
    isSamePlatform({ os: "linux", architecture: "arm64", variant: "v8" }, parsePlatform("linux/arm64")),
  ).toBe(true);
  expect(isSamePlatform(parsePlatform("linux/arm/v6"), parsePlatform("linux/arm/v7"))).toBe(false);
});

describe("choosePlatform()", () => {
  test.each<[string, string[], string | undefined]>([
    ["linux/amd64", ["linux/arm64", "linux/amd64"], "linux/amd64"],
    ["linux/amd64", ["linux/amd64/v2", "linux/amd64"], "linux/amd64"],
    ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v2"],
    ["linux/amd64", ["linux/386"], undefined],
    ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm64"], "linux/arm/v6"],
    ["linux/arm/v6", ["linux/arm/v7"], undefined],
    ["linux/arm64", ["linux/arm/v7", "linux/arm64/v8"], "linux/arm64"],
    ["linux/arm64/v9.1", ["linux/arm64", "linux/arm64/v8.6", "linux/arm64/v9.2"], "linux/arm64/v8.6"],
    ["linux/arm64/v8.1", ["linux/arm64/v8.2", "linux/arm64"], "linux/arm64"],
    ["linux/riscv64", ["linux/amd64"], undefined],
    ["windows/amd64", ["linux/amd64", "windows/amd64"], "windows/amd64"],
  ])("for %s of %j", (wanted, offered, chosen) => {
    const index = indexOf(...offered.map((text) => entry(text)));
    const choose = () =>
      formatPlatform(parsePlatform(platformOf(choosePlatform(index, parsePlatform(wanted)))));
    if (chosen === undefined) expect(choose).toThrow("Cannot find platform");
    else expect(choose()).toBe(chosen);
  });

  test("takes a 32-bit image only when asked to", () => {
    const index = indexOf(entry("linux/386"));
    expect(choosePlatform(index, parsePlatform("linux/amd64"), { allow32Bit: true })).toBe(
      index.manifests[0],
    );
  });

  test("takes the first of equals", () => {
    const index = indexOf(entry("linux/amd64", "a"), entry("linux/amd64", "b"));
    expect(choosePlatform(index, parsePlatform("linux/amd64"))).toBe(index.manifests[0]);
  });

  test("never takes an attestation", () => {
    const attestation = {
      ...entry("linux/amd64"),
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    };
    const unknown = entry("unknown/unknown");
    expect(() => choosePlatform(indexOf(attestation, unknown), parsePlatform("linux/amd64"))).toThrow(
      "Cannot find platform linux/amd64",
    );
  });

  test("takes the highest revision of the same Windows build", () => {
    const index = indexOf(
      windows("10.0.17763.1"),
      windows("10.0.17763.30"),
      windows("10.0.17763.9"),
      windows("10.0.20348.99"),
    );
    const chosen = choosePlatform(index, parsePlatform("windows(10.0.17763.2)/amd64"));
    expect(chosen.platform?.["os.version"]).toBe("10.0.17763.30");
    expect(() => choosePlatform(index, parsePlatform("windows(10.0.1.2)/amd64"))).toThrow(
      "Cannot find platform",
    );
  });

  test("takes the only entry when it names no platform", () => {
    const { platform: _platform, ...bare } = entry("linux/amd64");
    const index = indexOf(bare);
    expect(choosePlatform(index, parsePlatform("linux/s390x"))).toBe(index.manifests[0]);
    expect(() => choosePlatform(indexOf(bare, bare), parsePlatform("linux/s390x"))).toThrow(
      "Cannot find platform",
    );
  });

  test("lists in the hint what there is", () => {
    const index = indexOf(entry("linux/amd64"), entry("linux/arm64/v8"), entry("unknown/unknown"));
    expect(listPlatforms(index).map(formatPlatform)).toEqual(["linux/amd64", "linux/arm64"]);
    expect(() => choosePlatform(index, parsePlatform("linux/s390x"))).toThrow(
      expect.objectContaining({
        code: "NO_SUCH_PLATFORM",
        hint: "The image is there for linux/amd64, linux/arm64",
      }),
    );
  });
});

function indexOf(...manifests: Descriptor[]): ImageIndex {
  return { schemaVersion: 2, manifests };
}

function entry(text: string, content = text): Descriptor {
  const [os = "", architecture = "", variant] = text.split("/");
  return {
    mediaType: MEDIA_TYPES.ociManifest,
    digest: digestOf(content),
    size: 1,
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
  };
}

function windows(version: string): Descriptor {
  const base = entry("windows/amd64", version);
  return { ...base, platform: { os: "windows", architecture: "amd64", "os.version": version } };
}

function platformOf({ platform }: Descriptor): string {
  return platform === undefined ? "" : formatPlatform(platform);
}
