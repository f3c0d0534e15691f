import type { BlobSource } from "../oci/blob-source.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageConfig } from "../oci/image-config.ts";
import type { Platform } from "../oci/platform.ts";

/** A base image whose documents are known; its layers are fetched when somebody reads them. */
export interface ResolvedImage {
  /** The name with its digest, as shown: `docker.io/library/node:20@sha256:…`. */
  readonly shownAs: string;
  readonly manifest: Descriptor;
  /** What its name pointed at: an index of several platforms, else its manifest. */
  readonly version: Digest;
  readonly config: ImageConfig;
  readonly platform: Platform;
  /** Bottom first: as many as the config has diffIDs. */
  readonly layers: readonly { readonly diffId: Digest; readonly blob: Descriptor }[];
  readonly blobs: BlobSource;
  /** `registry/repository`, when it came from a registry. */
  readonly origin?: string;
}
