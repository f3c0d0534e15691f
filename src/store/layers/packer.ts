import { createHash, hash as hashOnce } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Digest } from "../../oci/digest.ts";
import { toByteString } from "../../oci/layer-entry.ts";
import { END_OF_ARCHIVE_BYTES, encodeHeader, paddingOf } from "../../tar/index.ts";
import { nowMs } from "../../util/now-ms.ts";
import { type SnapshotFile, SnapshotWriter } from "./snapshot-writer.ts";
import { CHUNK_BYTES, readLarge, readSmall, SMALL_FILE_BYTES } from "./source-file.ts";
import { TreeHasher } from "./tree-hasher.ts";
import type { PackedLayer, SourcedEntry } from "./types.ts";

export interface PackerOptions {
  readonly snapshotDir?: string | undefined;
  readonly onTarChunk?: ((chunk: Uint8Array) => void | Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly recentSinceSeconds?: number | undefined;
  /** false reads nothing but what the tar needs: the digests that `pack` answers then mean nothing. */
  readonly hashes?: boolean;
}

/** One byte more than is ever filled: where `readSmall` sees a file that grew. */
const BUFFER_BYTES = CHUNK_BYTES + 1;

/** How long other work may have to wait for the synchronous part. */
const MAX_TURN_MS = 8;

/** Turns canonical entries into a tar, digests and a snapshot; one use. See `writeLayer`. */
export class Packer {
  readonly #snapshot: SnapshotWriter | undefined;
  readonly #onTarChunk: PackerOptions["onTarChunk"];
  readonly #signal: AbortSignal | undefined;
  readonly #hashes: boolean;
  readonly #tarHash = createHash("sha256");
  readonly #tree: TreeHasher;
  #buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #filled = 0;
  #tarSize = 0;
  #turnStart = nowMs();

  constructor(options: PackerOptions) {
    this.#snapshot =
      options.snapshotDir === undefined ? undefined : new SnapshotWriter(toByteString(options.snapshotDir));
    this.#onTarChunk = options.onTarChunk;
    this.#signal = options.signal;
    this.#hashes = options.hashes ?? true;
    this.#tree = new TreeHasher(options.recentSinceSeconds);
  }

  async pack(entries: readonly SourcedEntry[]): Promise<PackedLayer> {
    for (const [index, entry] of entries.entries()) {
      if (entry.kind === "file" && entry.size > SMALL_FILE_BYTES) await this.#packLarge(entry);
      else await this.#packSmall(entry);
      if (index % 16 === 0) await this.#breathe();
    }
    await this.#append(Buffer.alloc(END_OF_ARCHIVE_BYTES));
    await this.#flush();
    this.#snapshot?.finish();
    return {
      diffId: `sha256:${this.#tarHash.digest("hex")}` as Digest,
      tarSize: this.#tarSize,
      treeId: this.#tree.digest(),
    };
  }

  /** Lets other work have its turn, and stops if asked to. */
  async #breathe(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (nowMs() - this.#turnStart < MAX_TURN_MS) return;
    await nextTurn();
    this.#signal?.throwIfAborted();
    this.#turnStart = nowMs();
  }

  async #packSmall(entry: SourcedEntry): Promise<void> {
    const header = encodeHeader(entry);
    if (header.length > CHUNK_BYTES / 2) await this.#append(header);
    else if (this.#filled + header.length > CHUNK_BYTES) await this.#flush();
    if (header.length <= CHUNK_BYTES / 2) this.#put(header);
    if (entry.kind !== "file") {
      this.#tree.add(entry, "");
      this.#snapshot?.write(entry);
      return;
    }
    const padding = paddingOf(entry.size);
    if (this.#filled + entry.size + padding > CHUNK_BYTES) await this.#flush();
    const bytes = this.#buffer.subarray(this.#filled, this.#filled + entry.size);
    readSmall(entry, this.#buffer, this.#filled);
    this.#buffer.fill(0, this.#filled + entry.size, this.#filled + entry.size + padding);
    this.#filled += entry.size + padding;
    this.#tree.add(
      entry,
      this.#givenDigest(entry) ?? (`sha256:${hashOnce("sha256", bytes, "hex")}` as Digest),
    );
    if (this.#snapshot === undefined) return;
    const file = this.#snapshot.createFile(entry);
    await fill(file, () => file.write(bytes));
  }

  async #packLarge(entry: SourcedEntry): Promise<void> {
    await this.#append(encodeHeader(entry));
    await this.#flush();
    const given = this.#givenDigest(entry);
    const hash = given === undefined ? createHash("sha256") : undefined;
    const file = this.#snapshot?.createFile(entry);
    const consume = async (): Promise<void> => {
      for await (const bytes of readLarge(entry, this.#onTarChunk !== undefined)) {
        this.#signal?.throwIfAborted();
        hash?.update(bytes);
        file?.write(bytes);
        await this.#send(bytes);
      }
    };
    if (file === undefined) await consume();
    else await fill(file, consume);
    await this.#append(Buffer.alloc(paddingOf(entry.size)));
    this.#tree.add(entry, given ?? (`sha256:${hash?.digest("hex")}` as Digest));
    this.#turnStart = nowMs();
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (this.#filled + bytes.length > CHUNK_BYTES) await this.#flush();
    if (bytes.length > CHUNK_BYTES) await this.#send(bytes);
    else this.#put(bytes);
  }

  #put(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  async #flush(): Promise<void> {
    if (this.#filled === 0) return;
    const bytes = this.#buffer.subarray(0, this.#filled);
    this.#filled = 0;
    await this.#send(bytes);
    if (this.#onTarChunk !== undefined) this.#buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  async #send(bytes: Uint8Array): Promise<void> {
    if (this.#hashes) this.#tarHash.update(bytes);
    this.#tarSize += bytes.length;
    await this.#onTarChunk?.(bytes);
  }

  /** A content digest that need not be computed. */
  #givenDigest({ content }: SourcedEntry): Digest | "" | undefined {
    if (!this.#hashes) return "";
    if (content?.kind !== "file" || !content.digest?.startsWith("sha256:")) return undefined;
    return content.digest;
  }
}

async function fill(file: SnapshotFile, consume: () => void | Promise<void>): Promise<void> {
  try {
    await consume();
  } catch (error) {
    file.abandon();
    throw error;
  }
  file.close();
}
