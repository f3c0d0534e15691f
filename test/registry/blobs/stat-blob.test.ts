import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/index.ts";
import { RegistryClient } from "../../../src/registry/index.ts";
import { HastyClock } from "../../support/registry-clock.ts";
import { type Fault, type FaultProxy, startProxy } from "../../support/registry-proxy.ts";

let registry: FaultProxy;
beforeAll(async () => {
  registry = await startProxy();
});
afterAll(async () => await registry[Symbol.asyncDispose]());
beforeEach(() => registry.reset());

const DIGEST = digestOf("x");

async function stat(head: Fault, get?: Fault) {
  registry.rule = ({ method, path }) => {
    if (path === "/v2/") return { kind: "answer", status: 200 };
    return method === "HEAD" ? head : get;
  };
  await using client = new RegistryClient({ clock: new HastyClock() });
  return await client.repository({ registry: registry.host, repository: "a" }).statBlob(DIGEST);
}
const answer = (status: number, headers: Record<string, string> = {}, body = ""): Fault => ({
  kind: "answer",
  status,
  headers,
  body,
});

describe("statBlob()", () => {
  test("asks for the head alone where that tells", async () => {
    expect(await stat(answer(200, { "content-length": "12" }))).toEqual({ size: 12 });
    expect(registry.seen.map(({ method }) => method)).toEqual(["GET", "HEAD"]);
  });

  test("reads a byte where a cache tells only readers what it has", async () => {
    expect(await stat(answer(404), answer(206, { "content-range": "bytes 0-0/34" }, "x"))).toEqual({
      size: 34,
    });
    expect(await stat(answer(405), answer(200, { "content-length": "3" }, "all"))).toEqual({ size: 3 });
    expect(registry.seen.at(-1)?.headers.range).toBe("bytes=0-0");
  });

  test("gives the registry's words where it has none", async () => {
    const body = '{"errors":[{"code":"BLOB_UNKNOWN","message":"no such blob"}]}';
    await expect(stat(answer(404), answer(404, {}, body))).rejects.toMatchObject({
      code: "BLOB_NOT_FOUND",
      message: expect.stringContaining("BLOB_UNKNOWN: no such blob"),
    });
  });
});
