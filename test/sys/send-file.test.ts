import { spawnSync } from "node:child_process";
import { pbkdf2, randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, constants, openSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
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
  let calls = 0;
  for (; at < content.byteLength; calls++) at += await sendFile(fd, file, at, 16 * 1024 * 1024);
  expect(flagsOf(fd)).toBe(flags);
  // Two, where nothing else keeps this process from reading; a buffer has room for 4 MiB at most.
  expect(calls).toBeLessThan(8);
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

test("what is under way to a socket that is closed goes to no other that gets its number", async () => {
  const file = openFile(Buffer.alloc(64 * 1024 * 1024));
  const server = createServer().listen(0, "127.0.0.1");
  undo.push(() => server.close());
  await once(server, "listening");
  const { fd, near, far } = await pair();
  far.resume();
  // Keeps all of Node's threads, so that the call begins only afterwards.
  const busy = [1, 2, 3, 4].map(() => promisify(pbkdf2)("a", "b", 200_000, 64, "sha512"));
  const sending = sendFile(fd, file, 0, 64 * 1024 * 1024);
  near.destroy();
  const next = connect((server.address() as AddressInfo).port, "127.0.0.1");
  undo.push(() => next.destroy());
  const [other] = (await once(server, "connection")) as [Socket];
  expect(numberOf(next)).toBe(fd);
  let strays = 0;
  other.on("data", (chunk: Buffer) => {
    strays += chunk.byteLength;
  });
  await Promise.all([...busy, sending]);
  expect(flagsOf(fd) & constants.O_NONBLOCK).toBe(constants.O_NONBLOCK);
  await sleep(20);
  expect(strays).toBe(0);
});

test("no child process gets the connection", async () => {
  const file = openFile(Buffer.alloc(64 * 1024 * 1024));
  const { fd, far } = await pair();
  far.pause();
  const sending = sendFile(fd, file, 0, 64 * 1024 * 1024);
  const { stdout } = spawnSync("ls", ["-l", "/proc/self/fd"], { encoding: "utf8" });
  const sockets = [...stdout.matchAll(/socket:\[\d+\]/g)].map(([name]) => name);
  expect(sockets).not.toContain(readlinkSync(`/proc/self/fd/${fd}`));
  await sending;
});

/** The C library's part, which only notes what it is told; sendfile ends when it is let. */
function fakeCalls({ canLimit = true } = {}) {
  const log: string[] = [];
  const ends: (() => void)[] = [];
  let next = 100;
  const send = createSendFile(() => ({
    close: (fd) => log.push(`close ${fd}`),
    fcntl: (fd, command, value) => {
      if (command === 1030) return next++;
      if (command === 4) log.push(`${fd} ${(value as number) & constants.O_NONBLOCK ? "hurries" : "waits"}`);
      return constants.O_NONBLOCK;
    },
    setsockopt: () => (canLimit ? 0 : -1),
    sendfile: Object.assign(() => -1, {
      async: (...args: unknown[]) => {
        log.push(`send ${args[0]}`);
        ends.push(() => (args.at(-1) as (error: null, sent: number) => void)(null, -1));
      },
    }) as WaitingFunction,
  }));
  return { log, ends, send };
}

test("only three wait at a time, which nobody else has to wait for", async () => {
  const { log, ends, send } = fakeCalls();
  const sent = [1, 2, 3, 4].map((socket) => send(socket, 0, 0, 1));
  const waiting = ["100 waits", "send 100", "101 waits", "send 101", "102 waits", "send 102"];
  expect(log.splice(0)).toEqual([...waiting, "send 103"]);
  ends[0]?.();
  expect(await sent[0]).toBe(0);
  expect(log.splice(0)).toEqual(["100 hurries", "close 100"]);
  const later = send(5, 0, 0, 1);
  expect(log.splice(0)).toEqual(["104 waits", "send 104"]);
  for (const end of ends) end();
  await Promise.all([...sent, later]);
  const closed = ["close 101", "close 102", "close 103", "close 104"];
  expect(log.sort()).toEqual(["101 hurries", "102 hurries", "104 hurries", ...closed]);
});

test("a socket that cannot be told how long to wait does not wait", async () => {
  const { log, ends, send } = fakeCalls({ canLimit: false });
  const sent = send(1, 0, 0, 1);
  ends[0]?.();
  expect(await sent).toBe(0);
  expect(log).toEqual(["send 100", "close 100"]);
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
