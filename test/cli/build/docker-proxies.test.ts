import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readDockerProxies } from "../../../src/cli/build/docker-proxies.ts";

describe("readDockerProxies()", () => {
  let home: string;
  let warnings: string[];

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "strake-proxies-"));
    await mkdir(join(home, ".docker"));
    warnings = [];
  });

  afterEach(() => rm(home, { recursive: true, force: true }));

  const read = (variables: Record<string, string> = {}) =>
    readDockerProxies({ variables, home, warn: (message) => warnings.push(message) });
  const write = (text: string) => writeFile(join(home, ".docker/config.json"), text);

  it("gives what stands under default, in both spellings", async () => {
    await write(
      JSON.stringify({ proxies: { default: { httpProxy: "http://p", noProxy: "x", ftpProxy: "" } } }),
    );
    expect(await read()).toEqual({
      HTTP_PROXY: "http://p",
      http_proxy: "http://p",
      NO_PROXY: "x",
      no_proxy: "x",
    });
  });

  it("looks where DOCKER_CONFIG says", async () => {
    await mkdir(join(home, "other"));
    await writeFile(join(home, "other/config.json"), '{"proxies":{"default":{"allProxy":"socks5://p"}}}');
    expect(await read({ DOCKER_CONFIG: join(home, "other") })).toMatchObject({ ALL_PROXY: "socks5://p" });
  });

  it("is content with a file that has none, is not there, or is not what it should be", async () => {
    expect(await read()).toEqual({});
    for (const text of [
      "{}",
      '{"auths":{}}',
      '{"proxies":null}',
      '{"proxies":{"default":[1]}}',
      '{"proxies":{"default":{"httpProxy":1}}}',
    ]) {
      await write(text);
      expect(await read()).toEqual({});
    }
    expect(warnings).toEqual([]);
    await write('{"proxies":');
    expect(await read()).toEqual({});
    expect(warnings).toEqual([expect.stringContaining("it is no JSON")]);
  });
});
