import { isDigest } from "../../oci/index.ts";
import type { OpenedSource } from "./open-source.ts";
import type { ImagePlace } from "./place.ts";
import type { Workbench } from "./workbench.ts";

/**
 * cosign and others name what belongs to an image by a tag made of its digest, `sha256-….sig`. Within registries these
 * are copied along.
 */
export async function copyDigestTags(
  { from, to }: { readonly from: ImagePlace; readonly to: ImagePlace },
  {
    source,
    digest,
    bench,
  }: { readonly source: OpenedSource; readonly digest: string; readonly bench: Workbench },
): Promise<void> {
  if (from.kind !== "registry" || to.kind !== "registry") return;
  const { signal } = bench.context;
  const { copyImage } = await import("../../registry/index.ts");
  const client = await bench.client();
  const [repository, target] = [client.repository(from.reference), client.repository(to.reference)];
  const root = await source.from.fetchManifest(digest, { signal });
  const digests = [
    digest,
    ...(root.kind === "index" ? root.index.manifests.map((entry) => entry.digest) : []),
  ];
  const stems = digests.filter(isDigest).map((each) => each.replace(":", "-"));
  for await (const page of repository.listTags({ signal })) {
    for (const tag of page) {
      // The bare stem is the list of referrers of registries without an API for it, which is made anew over there.
      if (!stems.some((stem) => tag.startsWith(`${stem}.`))) continue;
      await copyImage({
        from: repository,
        name: tag,
        to: target,
        pushBlob: async (blob, open, inner) =>
          await target.pushBlob(blob, open, { mountFrom: await source.mountFrom(blob), signal: inner }),
        tags: [tag],
        signal,
      });
    }
  }
}
