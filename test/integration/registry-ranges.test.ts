import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type BlobSink, parseReference, verifyBlob } from "../../src/oci/index.ts";
import { pullImage, RegistryClient, type RegistryClientOptions } from "../../src/registry/index.ts";
import { Store } from "../../src/store/index.ts";
import {
  type LargeBlobServer,
  type LargeBlobServerOptions,
  startLargeBlobServer,
} from "../support/large-blob-server.ts";
import { FastClock } from "../support/registry-clock.ts";

const CLI = resolve(import.meta.dirname, "../../dist/cli.js");
const MIB = 1024 * 1024;
const SIZE = 128 * MIB;
/** Seconds of watching take tenths of seconds, and what a connection brings looks a tenth as fast. */
const FASTER = 10;
const SLOW_CONNECTION = 20 * MIB;

/** Hashes what it gets and keeps nothing. */
const VERIFIER: BlobSink = {
  hasBlob: async () => false,
  async writeBlob(descriptor, open) {
    for await (const _ of verifyBlob(await open({ offset: 0 }), descriptor));
  },
};

const isOfPiece = (range: string | undefined): boolean => /^bytes=\d+-\d+$/.test(range ?? "");

// What is decided here is decided by what came when: a machine that is busy with something else may spoil a run.
describe("a large blob of which one connection brings little", { timeout: 120_000, retry: 2 }, () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "strake-ranges-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  function client(options: RegistryClientOptions = {}): RegistryClient {
    return new RegistryClient({ clock: new FastClock(FASTER, Math.random), ...options });
  }

  async function pull(server: LargeBlobServer, options: RegistryClientOptions = {}): Promise<void> {
    await using registry = client(options);
    await pullImage(registry, { reference: parseReference(`${server.host}/x:1`), sink: VERIFIER });
  }

  async function pullIntoStore(server: LargeBlobServer): Promise<void> {
    await using store = await Store.open(folder);
    await using registry = client();
    await pullImage(registry, { reference: parseReference(`${server.host}/x:1`), sink: store.blobs });
    for await (const _ of verifyBlob(await store.blobs.openBlob(server.layer), server.layer));
  }

  /** A pull that is stopped when the server has sent that part of the layer. */
  async function pullPart(server: LargeBlobServer, part: number): Promise<void> {
    const controller = new AbortController();
    await using store = await Store.open(folder);
    await using registry = client({
      onEvent: () => {
        if (server.sent() >= part * SIZE) controller.abort(new Error("stopped"));
      },
    });
    const reference = parseReference(`${server.host}/x:1`);
    const { signal } = controller;
    await expect(pullImage(registry, { reference, sink: store.blobs, signal })).rejects.toThrow("stopped");
  }

  async function start(options: Partial<LargeBlobServerOptions> = {}): Promise<LargeBlobServer> {
    return await startLargeBlobServer({ size: SIZE, bytesPerSecond: SLOW_CONNECTION, ...options });
  }

  test("comes over four of them", async () => {
    await using server = await start();
    await pull(server);
    expect(server.mostAtOnce()).toBeGreaterThanOrEqual(2);
    expect(server.mostAtOnce()).toBeLessThanOrEqual(4);
    expect(server.sent()).toBeLessThanOrEqual(1.05 * SIZE);
  });

  test("of which 90 % came when the pull was stopped goes on there", async () => {
    await using server = await start();
    await pullPart(server, 0.9);
    expect(server.mostAtOnce()).toBeGreaterThanOrEqual(2);
    const before = server.sent();
    server.reset();
    await pullIntoStore(server);
    expect(before + server.sent()).toBeLessThanOrEqual(1.12 * SIZE);
  });

  test("comes from the storage that the registry names, which it is asked for again only when the link expires", async () => {
    await using server = await start({ linkUses: 8 });
    await pull(server);
    expect(server.mostAtOnce()).toBeGreaterThanOrEqual(2);
    expect(server.ranges.filter(isOfPiece).length).toBeGreaterThan(16);
    expect(server.links()).toBeGreaterThanOrEqual(2);
    expect(server.links()).toBeLessThan(server.ranges.length / 2);
  });

  test("stays with one where the line is the limit", async () => {
    await using server = await start({ bytesPerSecond: 300 * MIB, bytesPerSecondInAll: 35 * MIB });
    await pull(server);
    expect(server.ranges.filter(isOfPiece)).not.toEqual([]);
    // After the trial the rest comes in one go.
    expect(server.ranges.at(-1)).toMatch(/^bytes=\d+-$/);
    expect(server.sent()).toBeLessThanOrEqual(1.1 * SIZE);
  });

  test("stays with one where the server knows no ranges", async () => {
    await using server = await start({ ranges: false, bytesPerSecond: 40 * MIB });
    await pull(server);
    const asked = server.ranges.filter(isOfPiece).length;
    expect(asked).toBeGreaterThanOrEqual(1);
    expect(asked).toBeLessThanOrEqual(2);
  });

  test("comes over one where the server refuses a second", async () => {
    await using server = await start({ mostAtOnce: 1 });
    await pull(server);
    expect(server.mostAtOnce()).toBe(1);
    expect(server.ranges.filter(isOfPiece)).not.toEqual([]);
    expect(server.ranges.at(-1)).toMatch(/^bytes=\d+-$/);
  });

  test("comes over one from a server that is fast", async () => {
    await using server = await startLargeBlobServer({ size: SIZE });
    await pull(server, { clock: new FastClock(0.1, Math.random) });
    expect(server.ranges).toEqual([undefined]);
  });

  test("with wrong bytes is refused", async () => {
    await using server = await start({ corrupt: true, bytesPerSecond: 60 * MIB });
    await expect(pull(server)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  });
});

describe.skipIf(!existsSync(CLI))(
  "a pull that is killed when 90 % of a blob have come (dist/cli.js built)",
  { timeout: 120_000 },
  () => {
    test.each([
      ["over one connection", 45 * MIB],
      ["over several", 8 * MIB],
    ])("%s: the next moves no more than 12 % again", async (_, bytesPerSecond) => {
      const folder = await mkdtemp(join(tmpdir(), "strake-ranges-"));
      try {
        await using server = await startLargeBlobServer({ size: SIZE, bytesPerSecond });
        const pull = (): ChildProcess =>
          spawn(process.execPath, [CLI, "pull", `${server.host}/x:1`], {
            env: { PATH: process.env["PATH"], HOME: folder, STRAKE_ROOT: join(folder, "store") },
            stdio: "ignore",
          });
        const killed = pull();
        const closed = once(killed, "close");
        while (server.sent() < 0.9 * SIZE && killed.exitCode === null)
          await new Promise((go) => setTimeout(go, 2));
        killed.kill("SIGKILL");
        expect((await closed)[1]).toBe("SIGKILL");
        const sent = server.sent();
        server.reset();
        const [code] = await once(pull(), "close");
        expect(code).toBe(0);
        expect(sent + server.sent()).toBeLessThanOrEqual(1.12 * SIZE);
        expect(server.ranges).toEqual([expect.stringMatching(/^bytes=\d{9}-$/)]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  },
);
