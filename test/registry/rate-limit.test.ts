import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { digestOf } from "../../src/oci/index.ts";
import { parseReference, RegistryClient } from "../../src/registry/index.ts";

const servers: { close(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A registry that answers every manifest with these headers; returns its address and the requests it got. */
async function registry(status: number, headers: Record<string, string>) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const isPing = request.url === "/v2/";
    if (!isPing) requests.push(`${request.method} ${request.url}`);
    response.writeHead(isPing ? 200 : status, isPing ? {} : headers).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

it("fetchRateLimit() reads Docker Hub's headers, by a request that counts as no pull", async () => {
  const { host, requests } = await registry(200, {
    "ratelimit-limit": "100;w=21600",
    "ratelimit-remaining": "76;w=21600",
    "docker-ratelimit-source": "192.0.2.1",
  });
  await using client = new RegistryClient();
  const found = await client.repository(parseReference(`${host}/preview/test`)).fetchRateLimit("latest");
  expect(found).toEqual({ limit: 100, remaining: 76, windowSeconds: 21_600, source: "192.0.2.1" });
  expect(requests).toEqual(["HEAD /v2/preview/test/manifests/latest"]);
});

it("fetchRateLimit() knows of none where none is told, and passes on a refusal", async () => {
  await using client = new RegistryClient();
  const silent = await registry(200, { "ratelimit-limit": "soon" });
  expect(
    await client.repository(parseReference(`${silent.host}/a`)).fetchRateLimit("latest"),
  ).toBeUndefined();
  const refusing = await registry(404, {});
  await expect(
    client.repository(parseReference(`${refusing.host}/a`)).fetchRateLimit("latest"),
  ).rejects.toMatchObject({ code: "MANIFEST_NOT_FOUND" });
});

it("statBlob() tells a blob's size, undefined where the registry does not, and throws when it is not there", async () => {
  await using client = new RegistryClient();
  const digest = digestOf("x");
  const stat = async (status: number, headers: Record<string, string>) =>
    client.repository(parseReference(`${(await registry(status, headers)).host}/a`)).statBlob(digest);
  expect(await stat(200, { "content-length": "12" })).toEqual({ size: 12 });
  expect(await stat(200, { "transfer-encoding": "chunked" })).toEqual({ size: undefined });
  await expect(stat(404, {})).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
});
