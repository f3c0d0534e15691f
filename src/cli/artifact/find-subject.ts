import { type Descriptor, type FetchedDocument, followPlatform, type Platform } from "../../oci/index.ts";
import { checkPlatform } from "../images/check-platform.ts";
import { type OpenedSource, openSource } from "../images/open-source.ts";
import type { Workbench } from "../images/workbench.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";
import type { ArtifactPlace } from "./artifact-place.ts";

/**
 * The image or index that something is to be attached to; with a platform, the image that an index has for it.
 * @throws {RegistryError} MANIFEST_NOT_FOUND @throws {OciError} NO_SUCH_PLATFORM @throws {TransportError}
 */
export async function findSubject(image: ArtifactPlace, options: FindSubjectOptions): Promise<Descriptor> {
  await using source = await openSource(image, options.bench);
  return await findSubjectIn(source, image, options);
}

export interface FindSubjectOptions {
  readonly bench: Workbench;
  readonly platform: Platform | undefined;
}

/** The same, of a source that is open. */
export async function findSubjectIn(
  source: OpenedSource,
  image: ArtifactPlace,
  { bench, platform }: FindSubjectOptions,
): Promise<Descriptor> {
  const { signal } = bench.context;
  const { from } = source;
  const fetchRoot = (): Promise<FetchedDocument> => from.fetchManifest(source.name, { signal });
  const root =
    image.kind === "registry"
      ? await suggestingTags(await bench.client(), image.reference, fetchRoot, signal)
      : await fetchRoot();
  if (platform === undefined) return root.descriptor;
  await checkPlatform(root, [platform], { from, text: image.text, signal });
  return (await followPlatform(from, root, platform, { signal })).descriptor;
}
