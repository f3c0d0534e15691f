import type { Digest } from "../../oci/index.ts";
import { CliError } from "../error.ts";
import type { OpenedSource } from "../images/open-source.ts";
import { oneLine } from "../text.ts";
import type { ArtifactPlace } from "./artifact-place.ts";
import type { FindSubjectOptions } from "./find-subject.ts";
import { listAttached } from "./list-attached.ts";

/** What a hint names. */
const MAX_LISTED = 5;

/**
 * The one artifact of a type that is attached to an image.
 * @throws {CliError} IMAGE_NOT_FOUND when there is none; INPUT_UNUSABLE when there are several
 */
export async function findAttached(
  source: OpenedSource,
  image: ArtifactPlace,
  { attached, ...options }: FindSubjectOptions & { readonly attached: string },
): Promise<Digest> {
  const all = await listAttached(source, image, options);
  const found = all.filter(({ artifactType }) => artifactType === attached);
  const [only, second] = found;
  if (only === undefined) {
    const types = [...new Set(all.map(({ artifactType }) => oneLine(artifactType ?? "")))].filter(Boolean);
    throw new CliError(
      "IMAGE_NOT_FOUND",
      `Cannot find anything of type "${attached}" attached to "${image.text}"`,
      { hint: types.length === 0 ? "Nothing is attached to it" : `There is ${listed(types)}` },
    );
  }
  if (second === undefined) return only.digest;
  throw new CliError(
    "INPUT_UNUSABLE",
    `Cannot choose between ${found.length} artifacts of type "${attached}" attached to "${image.text}"`,
    { hint: `Name one by its digest: ${listed(found.map(({ digest }) => `@${digest}`))}` },
  );
}

function listed(names: readonly string[]): string {
  const rest = names.length - MAX_LISTED;
  return `${names.slice(0, MAX_LISTED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
