import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHostConfigs } from "../../../src/registry/hosts/host-configs.ts";
import { parseRegistriesConf, readRegistriesConf } from "../../../src/registry/hosts/registries-conf.ts";

const CONF = `
[aliases]
app = "own.example:5000/team/app"
"team/tool" = "moved.example/tools/tool"
shut = "bad.example/shut"
hub = "docker.io/other/hub"

[[registry]]
location = "own.example:5000"
insecure = true

[[registry]]
prefix = "moved.example/tools"
location = "new.example/t"
[[registry.mirror]]
location = "mirror.example/m"

[[registry]]
location = "bad.example"
blocked = true
`;

describe("an alias", () => {
  const hosts = createHostConfigs({ readRules: async () => parseRegistriesConf(CONF, "test") });

  test("sends a short name to another registry, by the rules and with the credentials of that", async () => {
    const { upstream } = await hosts.find("docker.io", "library/app");
    expect(upstream).toEqual({
      host: "own.example:5000",
      protocol: "detect",
      tls: { skipVerify: true },
      rename: { from: "library/app", to: "team/app" },
    });
  });

  test("is followed through what is said of the name it stands for", async () => {
    const { upstream, mirrors } = await hosts.find("docker.io", "team/tool");
    expect(upstream).toMatchObject({ host: "new.example", rename: { from: "team/tool", to: "t/tool" } });
    expect(mirrors).toMatchObject([{ host: "mirror.example", rename: { from: "team/tool", to: "m/tool" } }]);
    expect((await hosts.find("docker.io", "library/shut")).blocked).toBe("test blocks bad.example");
  });

  test("within Docker Hub keeps its credentials", async () => {
    const { upstream } = await hosts.find("docker.io", "library/hub");
    expect(upstream).toMatchObject({
      host: "registry-1.docker.io",
      isUpstream: true,
      rename: { from: "library/hub", to: "other/hub" },
    });
  });

  test("is of that name alone, and the same object each time", async () => {
    for (const name of ["library/apple", "library/app/x", "app"]) {
      expect((await hosts.find("docker.io", name)).upstream.host).toBe("registry-1.docker.io");
    }
    expect((await hosts.find("ghcr.io", "library/app")).upstream.host).toBe("ghcr.io");
    expect(await hosts.find("docker.io", "library/app")).toBe(await hosts.find("docker.io", "library/app"));
  });
});

test.each<[string, string]>([
  ['app = "team/app"', 'the alias "app" stands for no name with a registry'],
  ['app = "own.example"', "stands for no name"],
  ['app = "own.example/app:1"', "stands for no name"],
  ["app = 7", "stands for no name"],
  ['"own.example/app" = "other.example/app"', "is no short name"],
  ['"app:1" = "other.example/app"', "is no short name"],
])("%s is refused", (line, fault) => {
  expect(() => parseRegistriesConf(`[aliases]\n${line}`, "/etc/x.conf")).toThrow(fault);
});

test("a later file changes and takes away aliases; those that come with the containers tools do not count", async () => {
  const folder = await mkdtemp(join(tmpdir(), "strake-aliases-"));
  try {
    const write = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), `[aliases]\n${text}`);
      return join(folder, name);
    };
    const rules = await readRegistriesConf([
      await write("one.conf", 'a = "x.example/a"\nb = "x.example/b"\n'),
      await write("000-shortnames.conf", 'fedora = "registry.fedoraproject.org/fedora"\nb = "y.example/b"\n'),
      await write("shortnames.conf", 'b = "z.example/b"\n[[ "registry" ]]\nlocation = "x.example"\n'),
      await write("two.conf", 'a = ""\nc = "x.example/c"\n'),
    ]);
    expect(rules.map(({ prefix, location }) => [prefix, location])).toEqual([
      ["docker.io/library/b", "x.example/b"],
      // What stands beside such a list is somebody's own.
      ["x.example", "x.example"],
      ["docker.io/library/c", "x.example/c"],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
