import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import {
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  MEDIA_TYPES,
  parseReference,
} from "../../../src/oci/index.ts";
import { pushImage, RegistryClient } from "../../../src/registry/index.ts";
import { putAttestedIndex, putJson } from "../../support/attested-index.ts";
import { tinyImage } from "../../support/image-archives.ts";
import { type MemoryRegistry, startMemoryRegistry } from "../../support/memory-registry.ts";
import { MemoryBlobs } from "../../support/registry-images.ts";
import { type CliRun, runCli } from "../run-cli.ts";

/** What `edit --json` tells. */
export interface Edited {
  readonly digest: string;
  readonly changed: boolean;
  readonly destination: string;
  readonly droppedAttestations: number;
  readonly images: readonly {
    readonly platform: string;
    readonly before: string;
    readonly after: string;
  }[];
}

/** A folder to work in, and a registry with an image `app:1` that stands on `base:1`, of which there is also `base:2`. */
export class EditBench implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "strake-edit-"));
  readonly blobs = new MemoryBlobs();
  readonly app = putIndex(this.blobs, ["base", "own"]);
  readonly base = {
    old: putIndex(this.blobs, ["base"]),
    new: putIndex(this.blobs, ["newer", "base 2"]),
  };
  readonly #registry: MemoryRegistry;

  private constructor(registry: MemoryRegistry) {
    this.#registry = registry;
  }

  static async start(): Promise<EditBench> {
    const bench = new EditBench(await startMemoryRegistry());
    await bench.push(`${bench.host}/app:1`, bench.app);
    await bench.push(`${bench.host}/base:1`, bench.base.old);
    await bench.push(`${bench.host}/base:2`, bench.base.new);
    return bench;
  }

  get host(): string {
    return this.#registry.host;
  }

  /** The requests that the registry got. */
  get seen(): readonly string[] {
    return this.#registry.seen;
  }

  async push(name: string, root: Descriptor): Promise<void> {
    await using client = new RegistryClient();
    await pushImage(client, { source: this.blobs, root, reference: parseReference(name) });
  }

  strake(...argv: readonly string[]): Promise<CliRun> {
    return runCli(argv, {
      cwd: this.folder,
      env: { STRAKE_ROOT: join(this.folder, "store"), DOCKER_CONFIG: this.folder, FROM_HERE: "here" },
    });
  }

  /** An edit that succeeds. */
  edited(...argv: readonly string[]): Promise<Edited> {
    return this.json("edit", "-q", "--json", ...argv);
  }

  /** What an edit that fails says. */
  async failing(...argv: readonly string[]): Promise<string> {
    const run = await this.strake("edit", "-q", ...argv);
    expect(run.code).not.toBe(0);
    expect(run.stdout).toBe("");
    return run.stderr;
  }

  async json<T>(...argv: readonly string[]): Promise<T> {
    const run = await this.strake(...argv);
    expect(run.code, run.stderr).toBe(0);
    return JSON.parse(run.stdout) as T;
  }

  indexOf(name: string): Promise<ImageIndex> {
    return this.json("registry", "manifest", "--raw", name);
  }

  manifestOf(name: string, platform = "linux/amd64"): Promise<ImageManifest> {
    return this.json("inspect", "--manifest", "--platform", platform, `docker://${name}`);
  }

  configOf(name: string, platform = "linux/amd64"): Promise<ImageConfig> {
    return this.json("inspect", "--config", "--platform", platform, `docker://${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registry[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** An index of two platforms' images, with an attestation of the first as BuildKit adds it. */
export function putIndex(
  blobs: MemoryBlobs,
  texts: readonly string[],
  annotations: Readonly<Record<string, string>> = {},
): Descriptor {
  const images = ["amd64", "arm64"].map((architecture) => {
    const { layers, config } = tinyImage(texts, architecture);
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: blobs.put(config, MEDIA_TYPES.ociConfig),
      layers: layers.map((layer) => blobs.put(gzipSync(layer), MEDIA_TYPES.ociLayerGzip)),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    };
    return { ...putJson(blobs, manifest, MEDIA_TYPES.ociManifest), platform: { os: "linux", architecture } };
  });
  return putAttestedIndex(blobs, images);
}
