import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Descriptor, parseReference } from "../../src/oci/index.ts";
import { pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { startMemoryRegistry } from "../support/memory-registry.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import { type FaultProxy, startProxy } from "../support/registry-proxy.ts";
import { seededRandom, testSeed } from "../support/seeded-random.ts";

const CLI = resolve(import.meta.dirname, "../../dist/cli.js");
const MIB = 1024 * 1024;
/** How many processes are killed in each direction. */
const KILLS = Number(process.env["STRAKE_TEST_KILLS"] ?? 2);
/** What the system holds of one connection between two processes. */
const SOCKET_BUFFERS = 8 * MIB;
/** The part of a blob that may have to be moved again. */
const MOST_LOST = 0.12;

describe.skipIf(!existsSync(CLI))(
  "a process that is killed (dist/cli.js built)",
  { timeout: 180_000 },
  () => {
    const seed = testSeed();
    const random = seededRandom(`kill ${seed}`);
    const image = makeImage({ layerSizes: [24 * MIB, 100_000], seed: `kill ${seed}` });
    const layer = image.layers[0] as Descriptor;
    let server: AsyncDisposable;
    let proxy: FaultProxy;
    let root: string;

    beforeAll(async () => {
      const memory = await startMemoryRegistry({ mount: "refuse" });
      server = memory;
      proxy = await startProxy(memory.host);
      await using client = new RegistryClient();
      const reference = parseReference(`${memory.host}/x:1`);
      await pushImage(client, { source: image.blobs, root: image.manifest, reference });
      root = await mkdtemp(join(tmpdir(), "strake-kill-"));
    });
    afterAll(async () => {
      for (const open of [proxy, server]) await open?.[Symbol.asyncDispose]();
      if (root !== undefined) await rm(root, { recursive: true, force: true });
    });
    beforeEach(() => {
      proxy.reset();
    });

    function start(store: string, ...args: readonly string[]): ChildProcess & { output(): string } {
      const env = { PATH: process.env["PATH"], HOME: root, STRAKE_ROOT: join(root, store) };
      const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (text) => (output += String(text)));
      return Object.assign(child, { output: () => output });
    }

    async function run(store: string, ...args: readonly string[]): Promise<void> {
      const child = start(store, ...args);
      const [code] = (await once(child, "close")) as [number | null];
      expect([code, child.output()]).toEqual([0, expect.any(String)]);
    }

    /** Starts a command and kills it once so many bytes have gone through the proxy; how many had. */
    async function kill(afterBytes: number, store: string, ...args: readonly string[]): Promise<number> {
      const before = proxy.bytes();
      const child = start(store, ...args);
      const closed = once(child, "close");
      while (proxy.bytes() - before < afterBytes && child.exitCode === null)
        await new Promise((resolve) => setImmediate(resolve));
      child.kill("SIGKILL");
      await closed;
      return proxy.bytes() - before;
    }

    const points = Array.from({ length: KILLS }, (_, i) => (i === 0 ? 0.9 : random()));

    /** Kills a download at that part of its bytes, and sees where the next one goes on. */
    async function killDownload(point: number, folder: string, download: readonly string[]): Promise<void> {
      proxy.rule = ({ path, method }) =>
        method === "GET" && path.includes(layer.digest)
          ? { kind: "drip", pieceBytes: 128 * 1024, pauseMs: 1 }
          : undefined;
      const store = `download-${point}`;
      const moved = await kill(point * layer.size, store, ...download);
      const onDisk = await largestFile(folder);
      proxy.reset();
      await run(store, "images");
      await run(store, ...download);
      const ranges = proxy.seen
        .filter(({ method, path }) => method === "GET" && path.includes(layer.digest))
        .map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? "bytes=0-")?.[1]));
      // What was on its way to the process, the system had in its buffers; what reached the disk is there still.
      for (const from of ranges) {
        expect(moved - from).toBeLessThanOrEqual(MOST_LOST * layer.size + SOCKET_BUFFERS);
        expect(onDisk - from).toBeLessThanOrEqual(MOST_LOST * layer.size);
      }
      expect(ranges.length).toBeLessThanOrEqual(1);
      proxy.reset();
      await run(store, ...download);
      expect(proxy.seen.filter(({ path }) => path.includes("/blobs/"))).toEqual([]);
      const files = await readdir(folder, { recursive: true });
      expect(files.filter((file) => /\.part|\.tmp/.test(file))).toEqual([]);
    }

    test.each(points)(
      `in a pull, at %f of the bytes: the next goes on there (seed ${seed})`,
      async (point) => {
        await killDownload(point, join(root, `download-${point}`), ["pull", `${proxy.host}/x:1`]);
      },
    );

    test.each(points)(
      `in a copy into a layout, at %f of the bytes: the next goes on there (seed ${seed})`,
      async (point) => {
        const layout = join(root, `layout-${point}`);
        await killDownload(point, layout, ["copy", `${proxy.host}/x:1`, `oci:${layout}:1`]);
      },
    );

    test.each(points)(`in a push, at %f of the bytes: the next ends well (seed ${seed})`, async (point) => {
      const from = `${proxy.host}/x:1`;
      const to = `${proxy.host}/to/${String(point).replace(".", "-")}:1`;
      await run("push", "pull", from);
      await run("push", "tag", from, to);
      const small = image.layers[1] as Descriptor;
      proxy.reset();
      await kill(point * layer.size, "push", "push", to);
      proxy.reset();
      await run("push", "push", to);
      const puts = proxy.seen.filter(
        ({ method, path }) => method === "PUT" && path.includes(small.digest.slice(7)),
      );
      expect(puts.length).toBeLessThanOrEqual(1);
      const sink = new MemoryBlobs();
      await using client = new RegistryClient();
      await pullImage(client, { reference: parseReference(to), sink });
      expect([...sink.content.keys()].sort()).toEqual([...image.blobs.content.keys()].sort());
    });
  },
);

async function largestFile(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return Math.max(0, ...sizes);
}
