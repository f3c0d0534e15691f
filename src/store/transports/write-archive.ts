import type { BlobOpener, BlobSink } from "../../oci/blob-source.ts";
import { MAX_MANIFEST_BYTES } from "../../oci/decode-manifest.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import { blobName, LAYOUT_FILE, LAYOUT_TEXT } from "../../oci/image-layout.ts";
import type { ByteString } from "../../oci/layer-entry.ts";
import type { ManifestSink } from "../../oci/manifest-source.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";
import { verifyBlob } from "../../oci/verify-blob.ts";
import { BLOCK_SIZE, END_OF_ARCHIVE_BYTES, encodeHeader, paddingOf } from "../../tar/encode-header.ts";
import type { WriteBlobOptions } from "../types.ts";
import { ReferrerEntries } from "./referrer-entries.ts";

/** Takes an archive's bytes, front to back. */
export interface ByteOutput {
  /** The chunk may be changed once this has returned, or its promise is fulfilled. */
  write(chunk: Uint8Array): Promise<void> | void;
}

/** An entry of `manifest.json`, which is what `docker load` looks for. */
export interface DockerEntry {
  readonly config: Digest;
  readonly layers: readonly Digest[];
  /** As people write them: `busybox:latest`. */
  readonly repoTags: readonly string[];
}

/**
 * Writes an image layout as a tar, each blob once and straight from its source. Blobs come one after the other, however
 * many are asked for at once. After a failure the archive is of no use.
 */
export class ArchiveWriter implements BlobSink, ManifestSink {
  readonly #output: ByteOutput;
  readonly #written = new Set<string>();
  readonly #referrers = new ReferrerEntries();
  #turn: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #hasFolders = false;

  constructor(output: ByteOutput) {
    this.#output = output;
  }

  async hasBlob({ digest }: Descriptor): Promise<boolean> {
    return this.#written.has(blobName(digest));
  }

  async writeBlob(
    descriptor: Descriptor,
    open: BlobOpener,
    { signal, onBytes }: WriteBlobOptions = {},
  ): Promise<void> {
    const name = blobName(descriptor.digest);
    await this.#inTurn(async () => {
      if (this.#written.has(name)) return;
      signal?.throwIfAborted();
      const { size } = descriptor;
      await this.#begin(name, size);
      const bytes = size === 0 ? [] : await open({ offset: 0, transient: true, signal });
      for await (const chunk of verifyBlob(bytes, descriptor)) {
        signal?.throwIfAborted();
        await this.#output.write(chunk);
        onBytes?.(chunk.byteLength);
      }
      await this.#output.write(new Uint8Array(paddingOf(size)));
      this.#written.add(name);
    });
  }

  async pushManifest(
    bytes: Uint8Array,
    {
      mediaType,
      digest = digestOf(bytes),
    }: { readonly mediaType: string; readonly digest?: Digest | undefined },
  ): Promise<Descriptor> {
    const descriptor = { mediaType, digest, size: bytes.byteLength };
    if (bytes.byteLength > MAX_MANIFEST_BYTES) throw new RangeError("a manifest is smaller than that");
    await this.#inTurn(async () => {
      const name = blobName(descriptor.digest);
      if (this.#written.has(name)) return;
      await this.#file(name, bytes);
      this.#written.add(name);
      this.#referrers.note(bytes, descriptor);
    });
    return descriptor;
  }

  /**
   * Writes index.json and the end of the archive.
   * @param roots the images, with the annotations that name them
   * @param docker what manifest.json lists; there is none without it
   */
  async finish(roots: readonly Descriptor[], docker?: readonly DockerEntry[]): Promise<void> {
    await this.#inTurn(async () => {
      // docker load would take what it finds in index.json for images.
      const manifests = docker === undefined ? this.#referrers.join(roots) : roots;
      const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
      await this.#file("index.json", Buffer.from(JSON.stringify(index)));
      if (docker !== undefined) {
        const manifest = docker.map(({ config, layers, repoTags }) => ({
          Config: blobName(config),
          RepoTags: repoTags.length === 0 ? null : repoTags,
          Layers: layers.map(blobName),
        }));
        await this.#file("manifest.json", Buffer.from(JSON.stringify(manifest)));
      }
      await this.#file(LAYOUT_FILE, Buffer.from(LAYOUT_TEXT));
      await this.#output.write(new Uint8Array(END_OF_ARCHIVE_BYTES));
    });
  }

  async #file(name: string, bytes: Uint8Array): Promise<void> {
    await this.#begin(name, bytes.byteLength);
    await this.#output.write(bytes);
    await this.#output.write(new Uint8Array(paddingOf(bytes.byteLength)));
  }

  async #begin(name: string, size: number): Promise<void> {
    if (!this.#hasFolders) {
      this.#hasFolders = true;
      for (const folder of ["blobs", "blobs/sha256"]) await this.#output.write(header("dir", folder, 0));
    }
    await this.#output.write(header("file", name, size));
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(async () => {
      // Half an entry is in the archive: nothing can come behind it.
      if (this.#failure !== undefined) throw this.#failure.error;
      try {
        await work();
      } catch (error) {
        this.#failure = { error };
        throw error;
      }
    });
    this.#turn = mine.catch(() => undefined);
    await mine;
  }
}

function header(kind: "file" | "dir", path: string, size: number): Uint8Array {
  const blocks = encodeHeader({
    kind,
    path: path as ByteString,
    mode: kind === "dir" ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    size,
    mtimeSeconds: 0,
  });
  if (blocks.length % BLOCK_SIZE !== 0) throw new Error("invariant: headers are whole blocks");
  return blocks;
}
