import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { downloadBody } from "../../../../src/builder/sources/http/download-body.ts";
import { HttpClient } from "../../../../src/builder/sources/http/http-client.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

let folder: string;
let servers: Server[];
let client: HttpClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "strake-download-"));
  servers = [];
  client = new HttpClient({ secrets: [], variables: {} });
});

afterEach(async () => {
  await client.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

/** Answers the first request with the first answer and so on; the last one answers all that follow. */
async function serve(...answers: Answer[]): Promise<{ url: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)];
    seen.push(request);
    answer?.(request, response);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`, seen };
}

const path = (): string => join(folder, "file");
const download = (url: string, headers: Record<string, string> = {}) =>
  downloadBody(url, path(), { client, headers, signal: AbortSignal.timeout(30_000) });

const whole: Answer = (_request, response) => {
  response.writeHead(200, { etag: '"v1"', "content-length": CONTENT.length }).end(CONTENT);
};
const half: Answer = (_request, response) => {
  response.writeHead(200, { etag: '"v1"', "content-length": CONTENT.length });
  response.write(CONTENT.subarray(0, 150_000), () => response.destroy());
};
const rest: Answer = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1]);
  response
    .writeHead(206, {
      etag: '"v1"',
      "content-range": `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}`,
      "content-length": CONTENT.length - from,
    })
    .end(CONTENT.subarray(from));
};

describe("downloadBody()", () => {
  it("brings a file with its digest and what tells it from its next version", async () => {
    const { url } = await serve(whole);
    expect(await download(url)).toEqual({
      size: CONTENT.length,
      sha256: SHA256,
      etag: '"v1"',
      lastModified: undefined,
    });
    expect(await readFile(path())).toEqual(CONTENT);
  });

  it("goes on where it broke off", async () => {
    const { url, seen } = await serve(half, rest);
    expect(await download(url)).toMatchObject({ size: CONTENT.length, sha256: SHA256 });
    expect(await readFile(path())).toEqual(CONTENT);
    expect(seen[1]?.headers["if-range"]).toBe('"v1"');
    expect(Number(seen[1]?.headers.range?.slice("bytes=".length, -1))).toBeGreaterThan(0);
  });

  it("begins again when the file has changed meanwhile, or the server sends all of it", async () => {
    const { url } = await serve(half, whole);
    expect(await download(url)).toMatchObject({ size: CONTENT.length, sha256: SHA256 });
    expect(await readFile(path())).toEqual(CONTENT);
  });

  it("begins again when the piece is another than it asked for", async () => {
    const wrong: Answer = (_request, response) =>
      void response.writeHead(206, { "content-range": "bytes 7-8/9" }).end("xx");
    const { url, seen } = await serve(half, wrong, whole);
    expect(await download(url)).toMatchObject({ sha256: SHA256 });
    expect(seen[2]?.headers.range).toBeUndefined();
  });

  it("asks a busy server again", async () => {
    const { url, seen } = await serve((_request, response) => void response.writeHead(503).end(), whole);
    expect(await download(url)).toMatchObject({ sha256: SHA256 });
    expect(seen).toHaveLength(2);
  });

  it("takes no for an answer", async () => {
    const { url, seen } = await serve((_request, response) => void response.writeHead(404).end());
    await expect(download(url)).rejects.toThrow(
      /Cannot download "http:.*\/file": invalid response status 404/,
    );
    expect(seen).toHaveLength(1);
  });

  it("hints at secrets when it is not let in", async () => {
    const { url } = await serve((_request, response) => void response.writeHead(401).end());
    await expect(download(url)).rejects.toMatchObject({
      hint: expect.stringContaining("--secret id=HTTP_AUTH_TOKEN_127.0.0.1"),
    });
  });

  it("brings nothing when nothing changed", async () => {
    const { url, seen } = await serve((_request, response) => void response.writeHead(304).end());
    expect(await download(url, { "if-none-match": '"v1"' })).toBeUndefined();
    expect(seen[0]?.headers["if-none-match"]).toBe('"v1"');
  });

  it("follows redirects, and gives up when they go round", async () => {
    const target = await serve(whole);
    const { url } = await serve(
      (_request, response) => void response.writeHead(302, { location: target.url }).end(),
    );
    expect(await download(url)).toMatchObject({ sha256: SHA256 });
    await rm(path());
    const round = await serve(
      (_request, response) => void response.writeHead(302, { location: "/file" }).end(),
    );
    await expect(download(round.url)).rejects.toThrow("more than 10 redirects");
  });

  it("follows no redirect to another protocol", async () => {
    const { url } = await serve(
      (_request, response) => void response.writeHead(302, { location: "file:///etc/passwd" }).end(),
    );
    await expect(download(url)).rejects.toThrow('it redirects to "file:///etc/passwd"');
  });

  it("gives credentials to the host itself and not to where that one redirects", async () => {
    client = new HttpClient({
      secrets: [{ id: "HTTP_AUTH_TOKEN_127.0.0.1", from: { kind: "env", value: Buffer.from("t0ken\n") } }],
      variables: {},
    });
    const target = await serve(whole);
    const { url, seen } = await serve(
      (_request, response) => void response.writeHead(307, { location: target.url }).end(),
    );
    await download(url);
    expect(seen[0]?.headers.authorization).toBe("Bearer t0ken");
    expect(target.seen[0]?.headers.authorization).toBeUndefined();
  });

  it("takes user and password from the address, and does not show them", async () => {
    const { url, seen } = await serve((_request, response) => void response.writeHead(404).end());
    const withCredentials = url.replace("//", "//me:p%40ss@");
    const error = await download(withCredentials).catch((thrown: unknown) => thrown);
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from("me:p@ss").toString("base64")}`);
    expect(String(error)).not.toContain("p%40ss");
  });

  it("goes through the proxy that the environment names", async () => {
    const { url, seen } = await serve(whole);
    client = new HttpClient({ secrets: [], variables: { http_proxy: url.replace("/file", "") } });
    expect(await download("http://nowhere.invalid/x")).toMatchObject({ sha256: SHA256 });
    expect(seen[0]?.url).toBe("http://nowhere.invalid/x");
  });

  it("stops when it is told to", async () => {
    const { url } = await serve((_request, response) => void response.writeHead(200).write("x"));
    const abort = new AbortController();
    const running = downloadBody(url, path(), {
      client,
      headers: {},
      signal: abort.signal,
      onBytes: () => abort.abort(new Error("enough")),
    });
    await expect(running).rejects.toThrow("enough");
  });
});
