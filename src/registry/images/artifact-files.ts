import { type Descriptor, type ImageManifest, MEDIA_TYPES, OciError } from "../../oci/index.ts";
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from "../../util/linux-paths.ts";
import { TITLE } from "./pack-artifact.ts";

/** A layer of an artifact that is to become a file, or a folder. */
export interface ArtifactEntry {
  /** "folder": a tar, mostly compressed, of what is in it; the names in it begin with `path`. */
  readonly kind: "file" | "folder";
  /** Relative, without `.`, `..` or empty parts; "" for a folder that is the one pulled to. */
  readonly path: string;
  readonly descriptor: Descriptor;
}

export interface ArtifactListing {
  readonly entries: readonly ArtifactEntry[];
  /** Layers that nothing gives a name to. */
  readonly unnamed: readonly Descriptor[];
}

/** The annotation by which oras says that a layer is a folder, packed: `"true"`. */
export const UNPACK = "io.deis.oras.content.unpack";
/** The digest of such a layer's tar before it was compressed. */
export const UNPACKED_DIGEST = "io.deis.oras.content.digest";

/**
 * What is to be made of an artifact's layers. Titles come from whoever made the artifact, and are not trusted: one that
 * leads out of the folder that is pulled to is refused, and so are two that are the same.
 * @throws {OciError} DOCUMENT_INVALID, naming the title
 */
export function listArtifactFiles({ layers }: Pick<ImageManifest, "layers">): ArtifactListing {
  const entries: ArtifactEntry[] = [];
  const unnamed: Descriptor[] = [];
  const taken = new Map<string, string>();
  for (const descriptor of layers) {
    const title = descriptor.annotations?.[TITLE];
    if (title === undefined || title === "") {
      if (descriptor.mediaType !== MEDIA_TYPES.ociEmpty) unnamed.push(descriptor);
      continue;
    }
    const kind = descriptor.annotations?.[UNPACK] === "true" ? "folder" : "file";
    const path = cleanTitle(title);
    if (path === "" && kind === "file") throw unusable(title, "is no name of a file");
    if (taken.has(path)) throw unusable(title, "is there twice");
    taken.set(path, title);
    entries.push({ kind, path, descriptor });
  }
  return { entries, unnamed };
}

function cleanTitle(title: string): string {
  if (title.includes("\0")) throw unusable(title, "has a NUL character");
  if (title.startsWith("/")) throw unusable(title, "is an absolute path");
  const parts = title.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw unusable(title, "leads out of the folder");
  const path = parts.join("/");
  const isLong =
    Buffer.byteLength(path) > MAX_PATH_BYTES ||
    parts.some((part) => Buffer.byteLength(part) > MAX_NAME_BYTES);
  if (isLong) throw unusable(title, "is longer than a path may be");
  return path;
}

function unusable(title: string, state: string): OciError {
  const shown = title.length > 200 ? `${title.slice(0, 200)}…` : title;
  return new OciError(
    "DOCUMENT_INVALID",
    `Cannot make files of the artifact: the title ${JSON.stringify(shown)} of a layer ${state}`,
    { hint: "strake registry blob writes a single layer to a file that you name" },
  );
}
