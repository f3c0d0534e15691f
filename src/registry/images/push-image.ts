import { type Descriptor, MAX_MANIFEST_BYTES, OciError, readDocument } from "../../oci/index.ts";
import type { RegistryClient } from "../client.ts";
import { copyImage } from "./copy-image.ts";
import { describeConversion } from "./describe-conversion.ts";
import { fetchSmallBlob } from "./fetch-document.ts";
import type { ManifestSource, PushedImage, PushImageOptions } from "./types.ts";

/**
 * Pushes an image or index from a source of blobs. What the registry has is not sent, what it has in another
 * repository is mounted, the tags come last.
 * @throws {RegistryError} @throws {OciError} BLOB_NOT_FOUND, BLOB_CORRUPT, DOCUMENT_INVALID
 */
export async function pushImage(client: RegistryClient, options: PushImageOptions): Promise<PushedImage> {
  const { source, root, reference, mountFrom, signal } = options;
  const target = client.repository(reference);
  const tags = [
    ...new Set([...(reference.tag === undefined ? [] : [reference.tag]), ...(options.tags ?? [])]),
  ];
  // Documents are asked for by digest, but a source of blobs wants descriptors: indexes name their children with size.
  const descriptors = new Map<string, Descriptor>([[root.digest, root]]);
  const manifests: ManifestSource = {
    async fetchManifest(name, at) {
      const descriptor = descriptors.get(name);
      if (descriptor === undefined)
        throw new OciError("BLOB_NOT_FOUND", `Cannot push manifest "${name}": nothing names it`);
      const bytes = await fetchSmallBlob(source, descriptor, {
        maxBytes: MAX_MANIFEST_BYTES,
        signal: at?.signal,
      });
      const document = readDocument(bytes, descriptor);
      if (document.kind === "index") {
        for (const entry of document.index.manifests) descriptors.set(entry.digest, entry);
      }
      return document;
    },
  };
  return await copyImage({
    from: { ...manifests, openBlob: (descriptor, at) => source.openBlob(descriptor, at) },
    name: root.digest,
    to: target,
    pushBlob: async (descriptor, open, inner) =>
      await target.pushBlob(descriptor, open, { mountFrom: await mountFrom?.(descriptor), signal: inner }),
    tags,
    forgetBlobs: (blobs) => target.forgetBlobs(blobs),
    mayFallBack: options.mayFallBack,
    onConverted: (conversion) => {
      const text = describeConversion(conversion);
      if (text !== undefined) client.emit({ kind: "warning", registry: reference.registry, text });
    },
    signal,
  });
}
