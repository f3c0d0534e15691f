import { artifactTypeOf } from "../../oci/artifact-type.ts";
import { decodeManifestDocument } from "../../oci/decode-manifest.ts";
import { bareDescriptor, type Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";

/**
 * Manifests that were written into a layout and are about others. A layout has no list of referrers: whoever looks for
 * them reads what index.json lists, so it has to list these too.
 */
export class ReferrerEntries {
  readonly #found = new Map<Digest, Descriptor>();

  /** Takes note of a manifest that is written, if it is about another. @throws {OciError} DOCUMENT_INVALID */
  note(bytes: Uint8Array, descriptor: Descriptor): void {
    const document = decodeManifestDocument(bytes, descriptor.mediaType);
    const content = document.kind === "index" ? document.index : document.manifest;
    if (content.subject === undefined) return;
    const artifactType = artifactTypeOf(content);
    const entry = bareDescriptor(descriptor);
    this.#found.set(descriptor.digest, artifactType === undefined ? entry : { ...entry, artifactType });
  }

  /** What index.json is to list for these roots: themselves, then the referrers that are none of them. */
  join(roots: readonly Descriptor[]): readonly Descriptor[] {
    const own = roots.map(({ artifactType: _said, ...root }) => {
      if (root.annotations !== undefined) return root;
      // Without a name, the type alone tells what was copied from what came along: see `OciLayout.images`.
      return this.#found.get(root.digest) ?? root;
    });
    const digests = new Set(roots.map(({ digest }) => digest));
    return [...own, ...[...this.#found.values()].filter(({ digest }) => !digests.has(digest))];
  }
}
