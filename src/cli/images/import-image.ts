import type { Platform } from "../../oci/index.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";
import { openSource } from "./open-source.ts";
import { pushInto } from "./open-target.ts";
import type { ImagePlace } from "./place.ts";
import { type RecordedImage, recordRoot } from "./record-root.ts";
import type { Workbench } from "./workbench.ts";

/** Takes an image from anywhere into the store, where it has no name yet. */
export async function importImage(
  place: ImagePlace,
  bench: Workbench,
  { platform, vertex }: { readonly platform?: Platform | undefined; readonly vertex: string },
): Promise<{ readonly image: RecordedImage; readonly fullName: string | undefined }> {
  const { copyImage } = await import("../../registry/index.ts");
  const { signal } = bench.context;
  const store = await bench.store();
  await using source = await openSource(place, bench);
  const copyIn = () =>
    copyImage({
      from: source.from,
      name: source.name,
      to: { pushManifest: (bytes, { mediaType }) => store.blobs.putBytes(bytes, mediaType) },
      pushBlob: pushInto(store.blobs, { bench, vertex }),
      tags: [],
      platforms: platform === undefined ? undefined : [platform],
      signal,
    });
  const { descriptor } =
    place.kind === "registry"
      ? await suggestingTags(await bench.client(), place.reference, copyIn, signal)
      : await copyIn();
  const image = await recordRoot(store, descriptor, { shown: place.text, origin: source.origin });
  return { image, fullName: source.fullName };
}
