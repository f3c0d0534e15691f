import { rankPlatform } from "../../oci/choose-platform.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Platform } from "../../oci/platform.ts";
import type { ImageRecord } from "../types.ts";

/** One of the images that a name stands for. */
export type NamedImage = Pick<ImageRecord, "imageId" | "manifest" | "platform">;

/** The images that a name stands for: one, or one for each platform of an index that was made here. */
export function imagesOf(record: ImageRecord): readonly NamedImage[] {
  return record.images ?? [record];
}

/** What an image is known by: its image ID; the digest of its index when it is several. */
export function idOf({ images, index, imageId }: ImageRecord): Digest {
  return images !== undefined && index !== undefined ? index.digest : imageId;
}

/**
 * A name's image for a platform, as a record of that image alone; the record itself where it is one image anyway and
 * fits. Undefined when the name has nothing that runs there.
 */
export function imageFor(record: ImageRecord, platform: Platform): ImageRecord | undefined {
  const ranked = imagesOf(record)
    .map((image) => ({ image, rank: rankPlatform(image.platform, platform) }))
    .filter(({ rank }) => rank !== undefined)
    .sort((a, b) => compareRanks(a.rank ?? [], b.rank ?? []));
  const image = ranked[0]?.image;
  if (image === undefined) return undefined;
  return record.images === undefined ? record : withImage(record, image);
}

/** The record of one image of several, under the same name. */
export function withImage(record: ImageRecord, { imageId, manifest, platform }: NamedImage): ImageRecord {
  const { reference, createdAt } = record;
  return { reference, imageId, ...(manifest === undefined ? {} : { manifest }), platform, createdAt };
}

/** Whether the record is a person's name for an image; one without is kept under what it is known by. */
export function isNamed(record: ImageRecord): boolean {
  return record.reference !== record.imageId && record.reference !== idOf(record);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value - (b[i] ?? 0);
  return 0;
}
