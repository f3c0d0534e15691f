import type { Descriptor, Digest } from "../../oci/index.ts";
import type { OpenedSource } from "../images/open-source.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";
import type { ArtifactPlace } from "./artifact-place.ts";
import { type FindSubjectOptions, findSubjectIn } from "./find-subject.ts";

/**
 * What refers to an image: signatures, attestations, artifacts that were attached to it.
 * @param artifactType only those of this type
 */
export async function listAttached(
  source: OpenedSource,
  image: ArtifactPlace,
  { artifactType, ...options }: FindSubjectOptions & { readonly artifactType?: string | undefined },
): Promise<readonly Descriptor[]> {
  const { signal } = options.bench.context;
  const subject = await digestOfSubject(source, image, options);
  if (image.kind === "registry") {
    const repository = (await options.bench.client()).repository(image.reference);
    return await repository.listReferrers(subject, {
      ...(artifactType === undefined ? {} : { artifactType }),
      signal,
    });
  }
  const all = await source.referrersOf(subject);
  return artifactType === undefined ? all : all.filter((found) => found.artifactType === artifactType);
}

/** Without fetching the image where its digest can be had for less. */
async function digestOfSubject(
  source: OpenedSource,
  image: ArtifactPlace,
  options: FindSubjectOptions,
): Promise<Digest> {
  if (image.kind !== "registry" || options.platform !== undefined)
    return (await findSubjectIn(source, image, options)).digest;
  const { reference } = image;
  // What refers to an image may be there without it.
  if (reference.digest !== undefined) return reference.digest;
  const client = await options.bench.client();
  const { signal } = options.bench.context;
  const resolve = () => client.repository(reference).resolve(source.name, { signal });
  return (await suggestingTags(client, reference, resolve, signal)).descriptor.digest;
}
