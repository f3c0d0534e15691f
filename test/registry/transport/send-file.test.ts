import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/index.ts";
import { uploadBody } from "../../../src/registry/blobs/upload-body.ts";
import type { ExchangeRequest } from "../../../src/registry/transport/exchange.ts";
import { createNodeExchange } from "../../../src/registry/transport/node-exchange.ts";
import { readChunks } from "../../../src/store/index.ts";
import { freePort } from "../../support/registry-server.ts";
import { WatchedFile } from "../../support/watched-file.ts";

const CONTENT = Buffer.alloc(24_000_000);
for (let at = 0; at < CONTENT.byteLength; at += 4) CONTENT.writeUInt32LE(at, at);
const path = join(mkdtempSync(join(tmpdir(), "strake-send-file-")), "blob");
writeFileSync(path, CONTENT);
afterAll(() => rmSync(dirname(path), { recursive: true }));

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

const answer = (status: string, body: string, ...headers: string[]) =>
  [`HTTP/1.1 ${status}`, `Content-Length: ${body.length}`, ...headers, "", body].join("\r\n");

/** A server that reads one body, and answers when it has all. */
async function receive(onData: (socket: Socket, bytes: number) => void = () => undefined) {
  const received: Buffer[] = [];
  let size = 0;
  let headBytes = 0;
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    undo.push(() => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      received.push(chunk);
      size += chunk.byteLength;
      if (headBytes === 0) headBytes = Buffer.concat(received).indexOf("\r\n\r\n") + 4;
      onData(socket, size);
      if (size === headBytes + CONTENT.byteLength) socket.write(answer("201 Created", "ok"));
    });
  }).listen(0, "127.0.0.1");
  undo.push(() => server.close());
  await once(server, "listening");
  const exchange = createNodeExchange();
  undo.push(() => exchange.close());
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x`);
  return {
    connections: () => connections,
    body: () => Buffer.concat(received).subarray(headBytes),
    async put(file: WatchedFile | undefined, more: Partial<ExchangeRequest> = {}): Promise<string> {
      const { status, body } = await exchange.send({
        method: "PUT",
        url,
        headers: {},
        body: { size: CONTENT.byteLength, chunks: readChunks(path), openFile: async () => file },
        answerTimeoutMs: 5000,
        stallTimeoutMs: 5000,
        ...more,
      });
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(chunk);
      return `${status} ${Buffer.concat(chunks).toString()}`;
    },
  };
}

test("a file arrives as it is, without all of it passing through this process", async () => {
  const server = await receive();
  const file = await WatchedFile.open(path);
  expect(await server.put(file)).toBe("201 ok");
  expect(server.body().equals(CONTENT)).toBe(true);
  // On a busy machine the server may seem to stand still for a while, and some is read then.
  expect(file.sentBytes).toBeGreaterThan(0);
  expect(file.closed).toBe(1);
});

test("a file arrives as it is at a server that takes it slowly", async () => {
  let pauses = 0;
  const server = await receive((socket) => {
    if (pauses++ % 20 !== 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), 2);
  });
  expect(await server.put(await WatchedFile.open(path))).toBe("201 ok");
  expect(server.body().equals(CONTENT)).toBe(true);
});

test("a file is read and written where the kernel takes nothing of it", async () => {
  const server = await receive();
  const file = await WatchedFile.open(path);
  file.send = async () => 0;
  expect(await server.put(file)).toBe("201 ok");
  expect(server.body().equals(CONTENT)).toBe(true);
  expect(file.closed).toBe(1);
});

test("an answer in the middle of a file is the answer", async () => {
  const server = await receive((socket, size) => {
    if (size < 5_000_000 || socket.bytesWritten > 0) return;
    socket.pause();
    socket.write(answer("413 Too Large", "big", "Connection: close"));
  });
  const file = await WatchedFile.open(path);
  expect(await server.put(file)).toBe("413 big");
  await expect.poll(() => file.closed).toBe(1);
  expect(file.left).toBeGreaterThan(0);
});

test("a connection that breaks off in the middle of a file is a reset", async () => {
  const server = await receive((socket, size) => {
    if (size > 5_000_000) socket.resetAndDestroy();
  });
  const file = await WatchedFile.open(path);
  await expect(server.put(file)).rejects.toMatchObject({ fault: "reset" });
  await expect.poll(() => file.closed).toBe(1);
});

test("what is aborted ends with the reason", async () => {
  const controller = new AbortController();
  const server = await receive((_socket, size) => {
    if (size > 5_000_000) controller.abort(new Error("enough"));
  });
  const file = await WatchedFile.open(path);
  await expect(server.put(file, { signal: controller.signal })).rejects.toThrow("enough");
  await expect.poll(() => file.closed).toBe(1);
});

test("a server that stops reading is given up", async () => {
  const server = await receive((socket) => void socket.pause());
  const file = await WatchedFile.open(path);
  await expect(server.put(file, { stallTimeoutMs: 200 })).rejects.toMatchObject({ fault: "timeout" });
  await expect.poll(() => file.closed).toBe(1);
});

test("a server may pause for longer than nothing may move: what the kernel holds moves unseen", async () => {
  let isPaused = false;
  const server = await receive((socket, size) => {
    if (isPaused || size < 1_000_000) return;
    isPaused = true;
    socket.pause();
    setTimeout(() => socket.resume(), 1300);
  });
  expect(await server.put(await WatchedFile.open(path), { stallTimeoutMs: 1000 })).toBe("201 ok");
  expect(server.body().equals(CONTENT)).toBe(true);
});

test("what no server took is not told as sent", async () => {
  const server = await receive();
  const url = new URL(`http://127.0.0.1:${await freePort()}/x`);
  const told: number[] = [];
  const files: WatchedFile[] = [];
  const size = CONTENT.byteLength;
  const descriptor = { mediaType: "application/octet-stream", digest: digestOf(CONTENT), size };
  const body = uploadBody(
    descriptor,
    async () => ({
      ...readChunks(path),
      openFile: async () => {
        const file = await WatchedFile.open(path);
        files.push(file);
        return file;
      },
    }),
    { onSent: (sent) => told.push(sent) },
  );
  await expect(server.put(undefined, { url, body })).rejects.toMatchObject({ fault: "refused" });
  await expect.poll(() => files.map((file) => file.closed)).toEqual([1]);
  expect(told.filter((sent) => sent > 0)).toEqual([]);
});

test("an answer that comes before the file is closed leaves the connection to the next request", async () => {
  const server = await receive();
  const file = await WatchedFile.open(path);
  const answered = server.put(
    Object.assign(file, {
      close: async () => {
        await answered;
        await WatchedFile.prototype.close.call(file);
      },
    }),
  );
  expect(await answered).toBe("201 ok");
  await expect.poll(() => file.closed).toBe(1);
  const next = await WatchedFile.open(path);
  await expect(server.put(next, { answerTimeoutMs: 200 })).rejects.toMatchObject({ fault: "timeout" });
  expect(server.connections()).toBe(1);
});

test("a source that fails is told as it says itself", async () => {
  const server = await receive();
  const file = await WatchedFile.open(path);
  file.read = async () => {
    throw new Error("disk on fire");
  };
  await expect(server.put(file)).rejects.toThrow("disk on fire");
  await expect.poll(() => file.closed).toBe(1);
});
