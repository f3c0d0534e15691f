import { usageError } from "../error.ts";
import { type ImagePlace, parsePlace } from "../images/place.ts";

/** Where an artifact can be: a registry, or an OCI image layout. */
export type ArtifactPlace = RegistryPlace | (FilePlace & { readonly kind: "oci" | "oci-archive" });
type RegistryPlace = Extract<ImagePlace, { readonly kind: "registry" }>;
type FilePlace = Extract<ImagePlace, { readonly path: string }>;

/** @throws {CliError} USAGE for the store and docker archives, which hold images alone */
export function parseArtifactPlace(text: string, cwd: string): ArtifactPlace {
  const place = parsePlace(text, { cwd, plain: "registry" });
  if (place.kind === "registry") return place;
  if (place.kind === "oci" || place.kind === "oci-archive") return { ...place, kind: place.kind };
  const what = place.kind === "store" ? "the store" : "a docker archive";
  throw usageError(
    `Cannot use "${text}" for an artifact: ${what} holds images alone`,
    "Name a registry, or an OCI image layout: oci:DIR:TAG",
  );
}

/** The same place without what says which image of it. */
export function withoutName(place: ArtifactPlace): ArtifactPlace {
  if (place.kind === "registry") {
    const { registry, repository } = place.reference;
    return { ...place, reference: { registry, repository } };
  }
  return { ...place, text: `${place.kind}:${place.shown}`, name: undefined };
}
