import type { Digest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/**
 * Points at content by type, digest and size.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes; a safe integer, never negative. */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** The content itself in base64, as the specification allows for small blobs. */
  readonly data?: string;
  readonly artifactType?: string;
  readonly platform?: Platform;
}

/** What a descriptor points at, without what else it says. */
export function bareDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
