import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type FaultProxy, startProxy } from "../../support/registry-proxy.ts";
import { runCli } from "../run-cli.ts";

let registry: FaultProxy;
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "strake-trace-"));
  registry = await startProxy();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const list = (log: string) =>
  runCli(["registry", "tags", `${registry.host}/team/app`], {
    env: { DOCKER_CONFIG: folder, STRAKE_REGISTRY_LOG: log },
  });

it("every request is noted, with whose credentials it went, and without any secret", async () => {
  const auth = Buffer.from("me:very-secret").toString("base64");
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  let failed = false;
  registry.rule = ({ path, headers }) => {
    if (headers.authorization === undefined)
      return { kind: "answer", status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
    if (path === "/v2/" || failed) return { kind: "answer", status: 200, body: '{"tags":["1"]}' };
    failed = true;
    return { kind: "answer", status: 503, headers: { "retry-after": "0" } };
  };
  const log = join(folder, "log");
  expect(await list(log)).toMatchObject({ code: 0, stdout: "1\n" });
  const text = await readFile(log, "utf8");
  const url = `http://${registry.host}/v2/team/app/tags/list`;
  const lines = text.trimEnd().split("\n");
  expect(lines.every((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z /.test(line))).toBe(true);
  expect(lines.map((line) => line.replace(/^\S+ /, "").replace(/\d+ ms|\d\.\d s/, "…"))).toEqual([
    `GET http://${registry.host}/v2/ -> 401 in …`,
    `GET ${url} -> 401 in …`,
    `${registry.host} wants a login: using the one from ${join(folder, "config.json")}`,
    `GET ${url} -> 503 in …`,
    `${registry.host} wants a pause of …: it answered 503`,
    `again in …, after 1 in vain: GET ${url}: it answered 503`,
    `GET ${url} -> 200 in …`,
  ]);
  expect(text).not.toContain("very-secret");
  expect(text).not.toContain(auth);
});

it("a file that cannot be written is told", async () => {
  const run = await list(join(folder, "nowhere", "log"));
  expect(run.code).toBe(1);
  expect(run.stderr).toContain("hint: STRAKE_REGISTRY_LOG names it");
});
