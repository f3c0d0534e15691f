import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { sendFile } from "../../src/sys/index.ts";
import type { WaitingFunction } from "../../src/sys/libc.ts";
import { createSendFile } from "../../src/sys/send-file.ts";
import { connectPair, numberOf } from "../support/socket-pair.ts";
import { makeTemporaryFolder } from "../tar/support.ts";

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

function openFile(content: Uint8Array): number {
  const path = join(makeTemporaryFolder(), "f");
  writeFileSync(path, content);
  const fd = openSync(path, "r");
  undo.push(() => closeSync(fd));
  return fd;
}

async function pair() {
  const made = await connectPair();
  undo.push(made.end);
  return made;
}

test("the other end reads the bytes from that position on, and no more than asked for", async () => {
  const file = openFile(Buffer.from("0123456789"));
  const { fd, far } = await pair();
  expect(await sendFile(fd, file, 3, 4)).toBe(4);
  const [chunk] = await new Promise<[Buffer]>((resolve) =>
    far.once("data", (data: Buffer) => resolve([data])),
  );
  expect(chunk.toString()).toBe("3456");
});

test("at the end of the file there is nothing to send", async () => {
  const file = openFile(Buffer.from("0123456789"));
  const { fd } = await pair();
  expect(await sendFile(fd, file, 10, 4)).toBe(0);
});

test("a full socket takes nothing", async () => {
  const file = openFile(Buffer.alloc(64 * 1024 * 1024));
  const { fd, far } = await pair();
  far.pause();
  let at = 0;
  for (let sent = 1; sent > 0; at += sent) sent = await sendFile(fd, file, at, 1024 * 1024);
  expect(at).toBeGreaterThan(0);
  expect(at).toBeLessThan(64 * 1024 * 1024);
});

test("a socket whose other end is gone takes nothing, and the process lives", async () => {
  const file = openFile(Buffer.alloc(1024));
  const { fd, near, far } = await pair();
  near.on("error", () => undefined);
  far.resetAndDestroy();
  await sleep(20);
  for (let i = 0; i < 3; i++) expect(await sendFile(fd, file, 0, 1024)).toBe(0);
});

/** The flags with which a file was opened, of which Linux tells. */
function flagsOf(fd: number): number {
  const [, flags] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
  return Number.parseInt(flags as string, 8);
}

test("goes on as long as the other end reads, and leaves the socket as it was", async () => {
  const content = randomBytes(32 * 1024 * 1024);
  const file = openFile(content);
  const { fd, far } = await pair();
  const received: Buffer[] = [];
  far.on("data", (chunk: Buffer) => received.push(chunk));
  const flags = flagsOf(fd);
  let at = 0;
  let turns = 0;
  for (; at < content.byteLength; turns++) at += await sendFile(fd, file, at, 16 * 1024 * 1024);
  expect(flagsOf(fd)).toBe(flags);
  // Two, where nothing else keeps this process from reading; a buffer has room for 4 MiB at most.
  expect(turns).toBeLessThan(8);
  await expect
    .poll(() => received.reduce((sum, chunk) => sum + chunk.byteLength, 0))
    .toBe(content.byteLength);
  expect(Buffer.concat(received).equals(content)).toBe(true);
});

test("an answer of just the size that Node reads at a time does not hold it up", async () => {
  const file = openFile(Buffer.alloc(64 * 1024 * 1024));
  const { fd, near, far } = await pair();
  near.pause();
  far.pause();
  // Of these Node reads the first half, though nobody wants it yet.
  const answer = Buffer.alloc(2 * 64 * 1024, "a");
  await new Promise((resolve) => far.write(answer, resolve));
  await sleep(20);
  let received = 0;
  near.on("data", (chunk: Buffer) => {
    received += chunk.byteLength;
  });
  const sending = sendFile(fd, file, 0, 64 * 1024 * 1024);
  near.resume();
  expect(await sending).toBeLessThan(64 * 1024 * 1024);
  await expect.poll(() => received).toBe(answer.byteLength);
});

test("what waits for a socket that is closed goes to no other that gets its number", async () => {
  const file = openFile(Buffer.alloc(64 * 1024 * 1024));
  const server = createServer().listen(0, "127.0.0.1");
  undo.push(() => server.close());
  await once(server, "listening");
  const first = await pair();
  first.far.pause();
  // Two take all turns there are.
  const before = [
    sendFile(first.fd, file, 0, 64 * 1024 * 1024),
    sendFile(first.fd, file, 0, 64 * 1024 * 1024),
  ];
  const { fd, near, far } = await pair();
  far.resume();
  const sending = sendFile(fd, file, 0, 1024 * 1024);
  near.destroy();
  await once(near, "close");
  let strays = 0;
  const next = connect((server.address() as AddressInfo).port, "127.0.0.1");
  undo.push(() => next.destroy());
  const [other] = (await once(server, "connection")) as [Socket];
  expect(numberOf(next)).toBe(fd);
  other.on("data", (chunk: Buffer) => {
    strays += chunk.byteLength;
  });
  await Promise.all([...before, sending]);
  await sleep(20);
  expect(strays).toBe(0);
});

test("a turn keeps few threads, and another begins when one ends", async () => {
  const log: string[] = [];
  const ends: (() => void)[] = [];
  const sendfile = Object.assign(() => -1, {
    async(...args: unknown[]) {
      log.push(`send ${args[0]}`);
      ends.push(() => (args.at(-1) as (error: null, sent: number) => void)(null, -1));
    },
  });
  const send = createSendFile(() => ({
    dup: (fd) => (fd as number) + 100,
    close: (fd) => log.push(`close ${fd}`),
    fcntl: () => 0,
    setsockopt: () => 0,
    sendfile: sendfile as WaitingFunction,
  }));
  const all = [1, 2, 3].map((socket) => send(socket, 0, 0, 1));
  await sleep(5);
  expect(log).toEqual(["send 101", "send 102"]);
  ends[0]?.();
  await sleep(5);
  expect(log).toEqual(["send 101", "send 102", "send 103", "close 101"]);
  for (const end of ends) end();
  expect(await Promise.all(all)).toEqual([0, 0, 0]);
  expect(log.filter((entry) => entry.startsWith("close"))).toHaveLength(3);
});

test("a socket that cannot be told how long to wait is not made to wait", async () => {
  const commands: unknown[] = [];
  const send = createSendFile(() => ({
    dup: () => 9,
    close: () => 0,
    fcntl: (_fd, command) => commands.push(command),
    setsockopt: () => -1,
    sendfile: (() => 1) as unknown as WaitingFunction,
  }));
  expect(await send(1, 0, 0, 1)).toBe(0);
  expect(commands).toEqual([3]);
});

test("takes nothing where the C library cannot be called, and asks for it once", async () => {
  let asked = 0;
  const send = createSendFile(() => {
    asked++;
    throw new Error("Cannot find module 'koffi'");
  });
  expect([await send(0, 0, 0, 1), await send(0, 0, 0, 1)]).toEqual([0, 0]);
  expect(asked).toBe(1);
});
