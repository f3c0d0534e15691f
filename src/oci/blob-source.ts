import type { Descriptor } from "./descriptor.ts";

export interface OpenBlobOptions {
  /** First byte wanted; 0 when absent. Never equal to or past the size. */
  readonly offset?: number;
  /**
   * The reader is done with a chunk, or has copied it, when it asks for the next: the source may then use the memory
   * again. Saves a large download a third of its memory and a tenth of its time. A source need not make use of it.
   */
  readonly transient?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A blob's bytes as they are stored, from an offset on. */
export interface BlobBytes extends AsyncIterable<Uint8Array> {
  /** Where they are part of a file: opens that, instead of the iteration. */
  readonly openFile?: (() => Promise<FileBytes>) | undefined;
}

/**
 * Bytes of an open file, taken one after the other: by the reader, or by a socket, which gets them from the kernel
 * without their passing through this process.
 */
export interface FileBytes {
  /** Bytes that are not taken yet. */
  readonly left: number;
  /**
   * Lets a socket have the next bytes, as long as it takes them without standing still.
   * @param socket the number of a file descriptor; nothing else may be written to it meanwhile
   * @param maxBytes how many it may have
   * @returns how many it took; 0 when it stands still or is broken, or where the kernel cannot do this
   */
  send(socket: number, maxBytes: number): Promise<number>;
  /** The next bytes, at most so many, in memory that is used again for the next read; none at the file's end. */
  read(maxBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Something that has blobs: a store, a registry repository, an archive. */
export interface BlobSource {
  /**
   * Opens a blob's bytes as they are stored. The iterable may be abandoned at any time and can be opened
   * again from any offset. The source does not promise the digest: whoever reads verifies.
   * @throws {OciError} BLOB_NOT_FOUND
   */
  openBlob(descriptor: Descriptor, options?: OpenBlobOptions): Promise<BlobBytes>;
}

/** Opens the same bytes again from an offset: what a retry needs. */
export type BlobOpener = (options: {
  readonly offset: number;
  /** See `OpenBlobOptions`. */
  readonly transient?: boolean;
  readonly signal?: AbortSignal | undefined;
}) => Promise<BlobBytes>;

/** Something that takes blobs. Both calls are idempotent; a blob appears whole and verified or not at all. */
export interface BlobSink {
  hasBlob(descriptor: Descriptor, options?: { readonly signal?: AbortSignal | undefined }): Promise<boolean>;
  /**
   * `onBytes` gets the count of bytes since its last call; negative when a transfer starts over.
   * @throws {OciError} BLOB_CORRUPT when the bytes do not have the descriptor's digest or size.
   */
  writeBlob(
    descriptor: Descriptor,
    open: BlobOpener,
    options?: { readonly signal?: AbortSignal | undefined; readonly onBytes?: (count: number) => void },
  ): Promise<void>;
}
