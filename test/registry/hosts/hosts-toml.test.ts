import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHostConfigs } from "../../../src/registry/hosts/host-configs.ts";
import { parseHostsFile, readHostsFile } from "../../../src/registry/hosts/hosts-toml.ts";

const parse = (text: string, registry = "docker.io") =>
  parseHostsFile(text, { path: "/certs.d/x/hosts.toml", folder: "/certs.d/x", registry });

describe("parseHostsFile()", () => {
  test("reads hosts in their order, with all that is said of them", () => {
    const { server, hosts } = parse(`
server = "https://registry-1.docker.io"
[host."http://mirror.lan:5000"]
  capabilities = ["pull"]
  skip_verify = true
  ca = ["one.crt", "/etc/two.crt"]
  client = [["client.cert", "client.key"], ["other.cert", ""]]
  [host."http://mirror.lan:5000".header]
    X-Team = ["a", "b"]
    authorization = "Basic abc"
[host."https://second.lan"]
`);
    expect(server?.endpoint).toEqual({ host: "registry-1.docker.io", protocol: "https" });
    expect(hosts).toEqual([
      {
        endpoint: {
          host: "mirror.lan:5000",
          protocol: "http",
          headers: { "x-team": "a, b", authorization: "Basic abc" },
          sendsNamespace: true,
        },
        reads: true,
        pull: "digest-only",
        skipVerify: true,
        ca: ["/certs.d/x/one.crt", "/etc/two.crt"],
        client: { certificate: "/certs.d/x/client.cert", key: "/certs.d/x/client.key" },
      },
      expect.objectContaining({
        endpoint: { host: "second.lan", protocol: "https", sendsNamespace: true },
        pull: "all",
        skipVerify: undefined,
        client: undefined,
      }),
    ]);
  });

  test.each([
    ["https://h/v2/cache", "override_path = true", { rename: { from: "", to: "cache" } }],
    ["https://h/base/v2", "override_path = true", { pathPrefix: "/base" }],
    [
      "https://h/base/v2/a/b/",
      "override_path = true",
      { pathPrefix: "/base", rename: { from: "", to: "a/b" } },
    ],
    ["https://h/base", "", { pathPrefix: "/base" }],
    ["https://h/base/v2", "", { pathPrefix: "/base" }],
    ["https://h/v2", "", {}],
    ["h", "", {}],
  ])("%s with %s is asked at the right place", (address, line, place) => {
    const [host] = parse(`[host."${address}"]\n${line}`).hosts;
    expect(host?.endpoint).toEqual({ host: "h", protocol: "https", sendsNamespace: true, ...place });
  });

  test("a server in the registry's place is told whose images are meant, the registry itself is not", () => {
    const text = (host: string) => `server = "https://${host}"\n[host."https://${host}"]`;
    for (const [host, told] of [
      ["cache.lan", true],
      ["registry-1.docker.io", undefined],
    ] as const) {
      const { server, hosts } = parse(text(host));
      expect(server?.endpoint.sendsNamespace).toBe(told);
      expect(hosts[0]?.endpoint.sendsNamespace).toBe(told);
    }
    expect(parse(text("r.example:5000"), "r.example:5000").server?.endpoint.sendsNamespace).toBeUndefined();
  });

  test("a host that may only be pushed to is not read from", () => {
    expect(parse('[host."h"]\ncapabilities = ["push"]').hosts[0]?.reads).toBe(false);
  });

  test.each([
    ['[host."h"]\ncapabilities = 3', 'the capabilities of "h" are no list of texts'],
    ['[host."ftp://h"]', '"ftp://h" is no address of a registry'],
    ['[host."https://h/other"]\noverride_path = true', "has no /v2 in it"],
    ["server = 5", '"server" is no text'],
    ["server = ", "line 1"],
    ['[host."h"]\nca = 1', '"ca" of "h" is no text'],
    ["host = 1", '"host" is no table'],
  ])("%j is refused", (text, fault) => {
    expect(() => parse(text)).toThrow(fault);
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

const CERTIFICATE = rootCertificates[0] ?? "";

describe("in folders", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "strake-hosts-"));
    for (const [name, text] of Object.entries({
      "docker.io": '[host."https://mirror.lan"]',
      "reg.lan_5000_": 'server = "http://reg.lan:5000"',
      _default: '[host."https://all.lan"]\nca = "ca.pem"',
    })) {
      await mkdir(join(root, name));
      await writeFile(join(root, name, "hosts.toml"), text);
    }
    await writeFile(join(root, "_default", "ca.pem"), CERTIFICATE);
    await mkdir(join(root, "junk.example"));
    await writeFile(join(root, "junk.example", "hosts.toml"), '[host."h"]\nca = "junk.pem"');
    await writeFile(join(root, "junk.example", "junk.pem"), "junk");
    await writeFile(join(root, "docker.io", "lonely.key"), "no pair, and nobody asks");
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test("the registry's own folder comes first, then the default", async () => {
    const hostOf = async (registry: string) =>
      (await readHostsFile([join(root, "none"), root], registry))?.hosts[0]?.endpoint.host;
    expect(await hostOf("docker.io")).toBe("mirror.lan");
    expect(await hostOf("other.example")).toBe("all.lan");
    expect((await readHostsFile([root], "reg.lan:5000"))?.server?.endpoint.protocol).toBe("http");
    expect(await readHostsFile([root], "../docker.io")).toBeUndefined();
  });

  test("mirrors, the server and certificates get into the registry's configuration", async () => {
    const hosts = createHostConfigs({ hostsRoots: [root], certsRoots: [root] });
    const hub = await hosts.find("docker.io", "library/busybox");
    expect(hub.mirrors).toEqual([
      { host: "mirror.lan", protocol: "https", sendsNamespace: true, pull: "all" },
    ]);
    expect(hub.upstream).toMatchObject({ host: "registry-1.docker.io", isUpstream: true });
    const other = await hosts.find("other.example");
    expect(other.mirrors?.[0]?.tls).toEqual({ extraCa: [CERTIFICATE] });
    const plain = await hosts.find("reg.lan:5000");
    expect(plain.upstream).toEqual({ host: "reg.lan:5000", protocol: "http", isUpstream: true });
  });

  test("a certificate that is not there is told with the file that names it", async () => {
    const folder = join(root, "broken.example");
    await mkdir(folder);
    await writeFile(join(folder, "hosts.toml"), '[host."h"]\nca = "gone.pem"');
    const hosts = createHostConfigs({ hostsRoots: [root] });
    await expect(hosts.find("broken.example")).rejects.toThrow(/hosts\.toml.*gone\.pem/);
    await expect(hosts.find("junk.example")).rejects.toThrow(/hosts\.toml.*junk\.pem.*no certificate/);
  });
});
