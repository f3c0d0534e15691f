import type { Digest, Reference } from "../../oci/index.ts";
import type { FetchMetadataOptions, ImageMetadata } from "../../registry/index.ts";

/** Fetches an image's documents, as `fetchImageMetadata` does. */
export type FetchMetadata = (
  reference: Reference,
  options: Pick<FetchMetadataOptions, "readKnown">,
) => Promise<ImageMetadata>;

/**
 * What names mean during one build. A tag is asked for once: the platforms that are built side by side must not stand on two
 * versions of an image because the tag moved meanwhile, and need its index only once.
 */
export class TagMeanings {
  readonly #first = new Map<string, Promise<ImageMetadata>>();
  readonly #documents = new Map<Digest, Uint8Array>();

  /**
   * @param key stands for the reference; those of one name have the same
   * @throws what `fetch` throws
   */
  resolve(key: string, reference: Reference, fetch: FetchMetadata): Promise<ImageMetadata> {
    const first = this.#first.get(key);
    const image = this.#resolve(first, reference, fetch);
    if (first === undefined) this.#first.set(key, image);
    return image;
  }

  async #resolve(
    first: Promise<ImageMetadata> | undefined,
    reference: Reference,
    fetch: FetchMetadata,
  ): Promise<ImageMetadata> {
    // Where the first failed, another platform may be luckier: it asks for itself.
    const meaning = await first?.catch(() => undefined);
    const asked = meaning === undefined ? reference : { ...reference, digest: meaning.root.digest };
    const image = await fetch(asked, {
      readKnown: async ({ digest }) => this.#documents.get(digest),
    });
    const root = image.index ?? image.manifest;
    this.#documents.set(root.descriptor.digest, root.bytes);
    return image;
  }
}
