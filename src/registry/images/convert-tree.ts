import {
  convertIndex,
  convertManifest,
  type ImageFormat,
  isAttestation,
  type LostInFormat,
  lostOf,
} from "../../oci/index.ts";
import { type DocumentTree, manifestDocument, rebuildTree } from "./document-tree.ts";

export interface ConvertedTree {
  readonly tree: DocumentTree;
  /** What has no place in the new format, each once. */
  readonly lost: readonly LostInFormat[];
}

/**
 * An image or a whole index with the media types of a format, and so with other digests. Configs and layers stay.
 * Attestations belong to the manifests before; Docker's format has no place for them.
 * @throws {OciError} NOT_CONVERTIBLE
 */
export function convertTree(tree: DocumentTree, format: ImageFormat): ConvertedTree {
  const lost = new Set<LostInFormat>();
  const noteLost = (document: Parameters<typeof lostOf>[0]): void => {
    if (format === "docker") for (const what of lostOf(document)) lost.add(what);
  };
  const dropped = format === "docker" ? attestationsOf(tree) : new Set<string>();
  const made = rebuildTree(
    tree,
    (document) => {
      if (dropped.has(document.descriptor.digest)) return document;
      const manifest = convertManifest(document, format);
      if (manifest === document.manifest) return document;
      noteLost(document.manifest);
      return manifestDocument(manifest, document.descriptor.mediaType);
    },
    (document, target) => {
      const index = convertIndex(document, format, (entry) => target(entry)?.descriptor ?? entry);
      if (index !== document.index) noteLost(document.index);
      if (index.manifests.length < document.index.manifests.length) lost.add("attestations");
      return index;
    },
  );
  return { tree: made, lost: [...lost] };
}

/** Manifests that indexes list as attestations alone. */
function attestationsOf({ root, indexes }: DocumentTree): ReadonlySet<string> {
  const entries = [root, ...indexes].flatMap((document) =>
    document.kind === "index" ? document.index.manifests : [],
  );
  const found = new Set<string>(entries.filter(isAttestation).map(({ digest }) => digest));
  for (const entry of entries) if (!isAttestation(entry)) found.delete(entry.digest);
  return found;
}
