import { formatFamiliarReference, isDigest } from "../../oci/index.ts";
import { type CliError, usageError } from "../error.ts";
import type { ImagePlace } from "../images/place.ts";

/**
 * Where an edited image goes when nothing else is said: to the name that it was found under. From a digest in a registry it goes to the
 * same repository, without a tag.
 * @throws {CliError} USAGE where the place has no name, or holds more than the image
 */
export function inPlace(place: ImagePlace): ImagePlace {
  switch (place.kind) {
    case "registry": {
      const { tag, digest, ...repository } = place.reference;
      const reference = tag === undefined || digest !== undefined ? repository : { ...repository, tag };
      return { ...place, reference, text: formatFamiliarReference(reference) };
    }
    case "store":
      if (/^(?:sha256:)?[0-9a-f]{6,64}$/.test(place.name) || place.name.includes("@"))
        throw noName(place, "an ID is not a name", "store:NAME");
      return place;
    case "oci":
      if (place.name === undefined || isDigest(place.name.replace(/^@/, "")))
        throw noName(place, "it has no tag", `oci:${place.shown}:TAG`);
      return place;
    case "oci-archive":
    case "docker-archive":
      throw usageError(
        `Cannot edit "${place.text}" where it is: an archive is not changed, but written anew`,
        "Name where the result goes: store:NAME, oci:DIR:TAG, another archive, or a name in a registry",
      );
    default:
      return place satisfies never;
  }
}

function noName({ text }: ImagePlace, reason: string, example: string): CliError {
  return usageError(
    `Cannot edit "${text}" where it is: ${reason}`,
    `Write ${example}, or name where the result goes`,
  );
}
