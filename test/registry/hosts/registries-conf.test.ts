import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHostConfigs } from "../../../src/registry/hosts/host-configs.ts";
import {
  findRule,
  parseRegistriesConf,
  readRegistriesConf,
  registriesConfFiles,
} from "../../../src/registry/hosts/registries-conf.ts";

const CONF = `
unqualified-search-registries = ["docker.io"]
[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "mirror.example:5000/hub"
insecure = true
[[registry.mirror]]
location = "second.example"
pull-from-mirror = "digest-only"

[[registry]]
prefix = "docker.io/library"
location = "own.example/images"

[[registry]]
location = "bad.example"
blocked = true

[[registry]]
prefix = "*.wild.example"
[[registry.mirror]]
location = "mirror.example/wild"
`;
const rules = parseRegistriesConf(CONF, "test");
const hosts = createHostConfigs({ readRules: () => Promise.resolve(rules) });

describe("findRule()", () => {
  test.each<[string, string, string | undefined]>([
    ["docker.io", "user/app", "docker.io"],
    ["docker.io", "library/busybox", "docker.io/library"],
    ["docker.io", "libraryx/busybox", "docker.io"],
    ["bad.example", "x", "bad.example"],
    ["verybad.example", "x", undefined],
    ["a.wild.example", "x", "*.wild.example"],
    ["wild.example", "x", undefined],
    ["a.wild.example:5000", "x", "*.wild.example"],
    ["a.wild.example.org", "x", undefined],
  ])("%s/%s: %s", (registry, repository, prefix) => {
    expect(findRule(rules, registry, repository)?.prefix).toBe(prefix);
  });
});

describe("createHostConfigs() with rules", () => {
  test("gives mirrors in order, with names changed, and keeps the registry", async () => {
    const { upstream, mirrors } = await hosts.find("docker.io", "user/app");
    expect(upstream).toMatchObject({ host: "registry-1.docker.io", isUpstream: true, protocol: "https" });
    expect(mirrors).toMatchObject([
      { host: "mirror.example:5000", protocol: "detect", pull: "all", rename: { from: "", to: "hub" } },
      { host: "second.example", protocol: "https", pull: "digest-only" },
    ]);
  });

  test("moves what a location says to another place, with its own credentials", async () => {
    const { upstream, mirrors } = await hosts.find("docker.io", "library/busybox");
    expect(upstream).toEqual({
      host: "own.example",
      protocol: "https",
      rename: { from: "library", to: "images" },
    });
    expect(mirrors).toEqual([]);
  });

  test.each<[string, string]>([
    ['[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "tag-only"', "tag-only"],
    ['mirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m"', "digest-only"],
    ['mirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "all"', "all"],
    ['[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "else"', "all"],
  ])("%j: %s", (text, pull) => {
    expect(parseRegistriesConf(`[[registry]]\nlocation = "r"\n${text}`, "test")[0]?.mirrors[0]?.pull).toBe(
      pull,
    );
  });

  test("blocks, and knows wildcards", async () => {
    expect((await hosts.find("bad.example", "x")).blocked).toBe("test blocks bad.example");
    expect((await hosts.find("a.wild.example", "x/y")).mirrors).toMatchObject([
      { host: "mirror.example", rename: { from: "", to: "wild" } },
    ]);
  });

  test("gives equal answers as the same object", async () => {
    expect(await hosts.find("docker.io", "a/b")).toBe(await hosts.find("docker.io", "c/d"));
    expect(await hosts.find("docker.io", "library/b")).not.toBe(await hosts.find("docker.io", "c/d"));
  });
});

test.each<[string, string]>([
  ["[[registry]]", "neither prefix nor location"],
  ['[[registry]]\nprefix = "x.example"', "has no location"],
  ['[[registry]]\nlocation = "x.example"\n[[registry.mirror]]', "a mirror of"],
  ["[[registry", "line 1"],
])("parseRegistriesConf() refuses %j", (text, fault) => {
  expect(() => parseRegistriesConf(text, "/etc/x.conf")).toThrow(fault);
  expect(() => parseRegistriesConf(text, "/etc/x.conf")).toThrow("Cannot use /etc/x.conf");
});

test("readRegistriesConf() lets later files win, and skips those that are not there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "strake-conf-"));
  try {
    const [one, two] = [join(folder, "one.conf"), join(folder, "two.conf")];
    await writeFile(one, '[[registry]]\nlocation = "a.example"\n[[registry]]\nlocation = "b.example"\n');
    await writeFile(two, '[[registry]]\nlocation = "a.example"\ninsecure = true\n');
    const read = await readRegistriesConf([one, join(folder, "none.conf"), two]);
    expect(read.map(({ location, insecure }) => [location, insecure])).toEqual([
      ["a.example", true],
      ["b.example", false],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("registriesConfFiles() takes the file that a variable names alone", async () => {
  expect(await registriesConfFiles({ env: { CONTAINERS_REGISTRIES_CONF: "/x.conf" }, home: "/h" })).toEqual([
    "/x.conf",
  ]);
  const files = await registriesConfFiles({ env: {}, home: "/nowhere" });
  expect(files[0]).toBe("/etc/containers/registries.conf");
});
