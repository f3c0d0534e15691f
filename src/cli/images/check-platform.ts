import {
  type BlobSource,
  decodeImageConfig,
  type FetchedDocument,
  formatPlatform,
  isImageConfigType,
  normalizePlatform,
  OciError,
  type Platform,
  rankPlatform,
} from "../../oci/index.ts";
import { readSmallBlob } from "./view-image.ts";

/**
 * An index is searched for a platform by whoever takes an image out of it; a single image has to be asked whether it is
 * for one of those wanted.
 * @throws {OciError} NO_SUCH_PLATFORM
 */
export async function checkPlatform(
  document: FetchedDocument,
  wanted: readonly Platform[],
  { from, text, signal }: { readonly from: BlobSource; readonly text: string; readonly signal: AbortSignal },
): Promise<void> {
  if (document.kind === "index") return;
  const { config } = document.manifest;
  // An artifact is for no platform, and so for every one.
  if (!isImageConfigType(config.mediaType)) return;
  const platform = normalizePlatform(decodeImageConfig(await readSmallBlob(from, config, signal)));
  if (wanted.some((each) => rankPlatform(platform, each) !== undefined)) return;
  throw new OciError(
    "NO_SUCH_PLATFORM",
    `Cannot find platform ${wanted.map(formatPlatform).join(", ")} in "${text}"`,
    { hint: `It is one image, for ${formatPlatform(platform)}` },
  );
}
