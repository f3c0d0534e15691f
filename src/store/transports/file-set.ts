import type { BlobBytes, OpenBlobOptions } from "../../oci/blob-source.ts";

/** Files by name: those of a folder or of an archive. Names are relative, with slashes, without `..`. */
export interface FileSet {
  /** What people call it, for messages. */
  readonly shown: string;
  /** Bytes of a file; undefined when there is none of that name. */
  sizeOf(name: string): Promise<number | undefined>;
  /** A small file whole; undefined when there is none. @throws {TransportError} ARCHIVE_INVALID past `maxBytes` */
  read(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** A file's bytes from an offset on. @throws {TransportError} ARCHIVE_INVALID when there is none */
  open(name: string, options?: OpenFileOptions): BlobBytes;
}

export interface OpenFileOptions extends OpenBlobOptions {
  /** Bytes of the whole file, where the caller knows them. */
  readonly size?: number;
}
