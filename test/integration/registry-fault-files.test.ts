import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { BlobBytes, BlobSource, Descriptor, FileBytes } from "../../src/oci/index.ts";
import { pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { readChunks } from "../../src/store/index.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import type { Fault, SeenRequest } from "../support/registry-proxy.ts";
import { WatchedFile } from "../support/watched-file.ts";
import { describeBadNetwork } from "./support/bad-network.ts";

/** Large enough for the kernel to send it. */
const LAYER_BYTES = 20_000_000;

const folder = mkdtempSync(join(tmpdir(), "strake-fault-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

describeBadNetwork("files that go to a registry over a bad network", (net) => {
  const isPut = ({ method, path }: SeenRequest) => method === "PUT" && path.includes("/blobs/uploads/");
  let files: WatchedFile[] = [];
  const kernelBytes = () => files.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  beforeEach(() => {
    files = [];
  });

  /** Pushes an image whose layer is a file, and looks what the registry has then. */
  async function push(name: string, fault: (nth: number) => Fault | undefined): Promise<void> {
    const image = makeImage({ layerSizes: [LAYER_BYTES] });
    const layer = image.layers[0] as Descriptor;
    const path = join(folder, name);
    writeFileSync(path, image.blobs.content.get(layer.digest) as Uint8Array);
    const source: BlobSource = {
      async openBlob(descriptor, options): Promise<BlobBytes> {
        if (descriptor.digest !== layer.digest) return await image.blobs.openBlob(descriptor, options);
        const bytes = readChunks(path, options);
        const openFile = async (): Promise<FileBytes> => {
          const file = new WatchedFile((await bytes.openFile?.()) as FileBytes);
          files.push(file);
          return file;
        };
        return { ...bytes, openFile };
      },
    };
    let nth = 0;
    net.proxy.rule = (request) =>
      isPut(request) && Number(request.headers["content-length"]) > 100_000 ? fault(nth++) : undefined;
    await using client = net.newClient();
    await pushImage(client, { source, root: image.manifest, reference: net.reference(`${name}:1`) });
    net.proxy.rule = () => undefined;
    const sink = new MemoryBlobs();
    await using reader = new RegistryClient();
    await pullImage(reader, { reference: net.reference(`${name}:1`), sink });
    expect(sink.content.size).toBe(3);
    await expect.poll(() => files.filter(({ closed }) => closed !== 1)).toEqual([]);
  }

  test.each<[string, Fault]>([
    ["breaks-off", { kind: "break-upload", afterBytes: 7_000_000 }],
    ["breaks-off-late", { kind: "break-upload", afterBytes: 19_900_000, forward: true }],
    ["is-reset", { kind: "reset" }],
    ["loses-its-answer", { kind: "lose-answer" }],
    ["is-refused-for-now", { kind: "answer", status: 503 }],
    ["is-refused-after-all-of-it", { kind: "late-answer", status: 500 }],
  ])("a push that %s ends well", async (name, fault) => {
    await push(name, (nth) => (nth < 1 ? fault : undefined));
    expect(kernelBytes()).toBeGreaterThan(0);
  });

  test("a file that is too large in one piece goes in pieces", async () => {
    await push("pieces", () => ({ kind: "answer", status: 413, headers: { connection: "close" } }));
  });

  test("a push is told truly how much went out", async () => {
    await push("told", (nth) => (nth === 0 ? { kind: "break-upload", afterBytes: 7_000_000 } : undefined));
    const sent = net.events.flatMap((event) =>
      event.kind === "blob-bytes" && event.size === LAYER_BYTES ? [event.done] : [],
    );
    // Once to where it broke off, once to the end.
    expect(Math.max(...sent)).toBe(LAYER_BYTES);
    expect(sent.filter((done, i) => done < (sent[i - 1] ?? 0))).toHaveLength(1);
  });
});
