import { StrakeError } from "../../errors.ts";
import {
  formatPlatform,
  formatReference,
  hostPlatform,
  parseAnyReference,
  parsePlatform,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../oci/index.ts";
import { idOf, imageFor, imagesOf, withImage } from "../../store/images/index.ts";
import type { ImageRecord, ImageStore } from "../../store/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { CliError } from "../error.ts";
import { hasName } from "./names.ts";

/**
 * The image that a person means: a name, `name@digest`, or the beginning of an image ID.
 * @throws {CliError} IMAGE_NOT_FOUND
 * @throws {StoreError} IMAGE_AMBIGUOUS
 */
export async function findImage(images: ImageStore, text: string): Promise<ImageRecord> {
  return (await matchImage(images, text)).record;
}

/** Like `findImage`, telling what the text was. */
export async function matchImage(
  images: ImageStore,
  text: string,
): Promise<{ readonly record: ImageRecord; readonly by: "name" | "id" }> {
  const named = await findByName(images, text);
  if (named !== undefined) return { record: named, by: "name" };
  const identified = await images.find(text);
  if (identified !== undefined) return { record: identified, by: "id" };
  throw new CliError("IMAGE_NOT_FOUND", `Cannot find image "${text}": the store does not have it`, {
    hint: "strake images lists what is there, strake pull fetches an image",
  });
}

async function findByName(images: ImageStore, text: string): Promise<ImageRecord | undefined> {
  const reference = readReference(text);
  if (reference === undefined) return undefined;
  const { digest, ...name } = reference;
  if (digest === undefined) return images.find(formatReference(withDefaultTag(name)));
  const records = await images.list();
  return records.find(
    (record) => isOf(record, name) && (record.manifest?.digest === digest || record.index?.digest === digest),
  );
}

/** Undefined for what is no name but may be an image ID; a digest alone is never a name. */
function readReference(text: string): Reference | undefined {
  try {
    const parsed = parseAnyReference(text);
    return parsed.kind === "reference" ? parsed.reference : undefined;
  } catch (error) {
    if (error instanceof StrakeError) return undefined;
    throw error;
  }
}

/** For commands that show one image of several. */
export const PLATFORM_FLAG = {
  type: "string",
  value: "OS/ARCH",
  default: "this machine's",
  summary: "Which image of several",
} as const;

/**
 * The image that a command shows where one of several is meant: that of the platform, which must be there; without one
 * that of this machine, else the first.
 * @throws {CliError} IMAGE_NOT_FOUND
 */
export function imageOfPlatform(record: ImageRecord, text: string | undefined): ImageRecord {
  const platform = text === undefined ? hostPlatform() : asUsage(() => parsePlatform(text));
  const image = imageFor(record, platform);
  if (image !== undefined) return image;
  if (text === undefined) {
    const [first = record] = imagesOf(record);
    return record.images === undefined ? record : withImage(record, first);
  }
  const there = imagesOf(record).map(({ platform: each }) => formatPlatform(each));
  throw new CliError(
    "IMAGE_NOT_FOUND",
    `Image "${record.reference}" is not for ${formatPlatform(platform)}`,
    {
      hint: `It is for ${there.join(", ")}`,
    },
  );
}

/** The records of all names that an image has. */
export async function namesOf(images: ImageStore, record: ImageRecord): Promise<ImageRecord[]> {
  return (await images.list()).filter((other) => idOf(other) === idOf(record));
}

function isOf(
  record: ImageRecord,
  { registry, repository }: { registry: string; repository: string },
): boolean {
  if (!hasName(record)) return false;
  const own = parseReference(record.reference);
  return own.registry === registry && own.repository === repository;
}
