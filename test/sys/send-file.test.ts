import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { sendFile } from "../../src/sys/index.ts";
import { createSendFile } from "../../src/sys/send-file.ts";
import { connectPair } from "../support/socket-pair.ts";
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
  expect(sendFile(fd, file, 3, 4)).toBe(4);
  const [chunk] = await new Promise<[Buffer]>((resolve) =>
    far.once("data", (data: Buffer) => resolve([data])),
  );
  expect(chunk.toString()).toBe("3456");
});

test("at the end of the file there is nothing to send", async () => {
  const file = openFile(Buffer.from("0123456789"));
  const { fd } = await pair();
  expect(sendFile(fd, file, 10, 4)).toBe(0);
});

test("a full socket takes nothing, and does not wait", async () => {
  const file = openFile(Buffer.alloc(64 * 1024 * 1024));
  const { fd, far } = await pair();
  far.pause();
  let at = 0;
  for (let sent = 1; sent > 0; at += sent) sent = sendFile(fd, file, at, 1024 * 1024);
  expect(at).toBeGreaterThan(0);
  expect(at).toBeLessThan(64 * 1024 * 1024);
});

test("a socket whose other end is gone takes nothing, and the process lives", async () => {
  const file = openFile(Buffer.alloc(1024));
  const { fd, near, far } = await pair();
  near.on("error", () => undefined);
  far.resetAndDestroy();
  await sleep(20);
  for (let i = 0; i < 3; i++) expect(sendFile(fd, file, 0, 1024)).toBe(0);
});

test("takes nothing where the C library cannot be called, and asks for it once", () => {
  let asked = 0;
  const send = createSendFile(() => {
    asked++;
    throw new Error("Cannot find module 'koffi'");
  });
  expect([send(0, 0, 0, 1), send(0, 0, 0, 1)]).toEqual([0, 0]);
  expect(asked).toBe(1);
});
