import {
  formatFamiliarName,
  formatFamiliarReference,
  formatReference,
  parseReference,
  withDefaultTag,
} from "../../oci/index.ts";
// Not through the door: all of the store's code would be loaded to read a name.
import { isNamed } from "../../store/images/index.ts";
import type { ImageRecord } from "../../store/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { usageError } from "../error.ts";

/** The full name that an image is stored under. @throws {CliError} USAGE for one that is none, or has a digest */
export function fullName(text: string): string {
  const reference = asUsage(() => parseReference(text));
  if (reference.digest !== undefined) {
    throw usageError(`Cannot name an image "${text}": the digest follows from the image`);
  }
  return formatReference(withDefaultTag(reference));
}

/** How a name of the store is shown: `busybox` and `latest`; `<none>` for both where the image has no name. */
export function shownName(record: ImageRecord): { readonly repository: string; readonly tag: string } {
  if (!hasName(record)) return { repository: "<none>", tag: "<none>" };
  const reference = parseReference(record.reference);
  return { repository: formatFamiliarName(reference), tag: reference.tag ?? "<none>" };
}

/** The short form of a stored name, `busybox:latest`. */
export function familiarName(record: ImageRecord): string {
  return formatFamiliarReference(parseReference(record.reference));
}

/** An image that was built without a name is kept under its image ID, or its index's digest. */
export function hasName(record: ImageRecord): boolean {
  return isNamed(record);
}
