import {
  choosePlatform,
  type Descriptor,
  type FetchedDocument,
  type FetchedManifest,
  formatPlatform,
  hostPlatform,
  isAttestation,
  type ManifestSource,
  OciError,
  type Platform,
} from "../../oci/index.ts";

/** Indexes inside indexes: nobody nests deeper for a reason. */
const MAX_DEPTH = 4;
/** Entries that a hint names. */
const MAX_LISTED = 5;

/**
 * The manifest of an artifact. Of an index it is the one for a platform: this machine's unless `platform` says another.
 * An index whose entries are for no platform must have one alone.
 * @throws {OciError} NO_SUCH_PLATFORM; DOCUMENT_INVALID for an index that does not say which one; and what `from` throws
 */
export async function fetchArtifact(
  from: ManifestSource,
  name: string,
  {
    platform,
    signal,
  }: { readonly platform?: Platform | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<FetchedManifest> {
  let document: FetchedDocument = await from.fetchManifest(name, { signal });
  for (let depth = 0; document.kind === "index"; depth++) {
    if (depth === MAX_DEPTH) throw ambiguous(document.descriptor, []);
    const { manifests } = document.index;
    const artifacts = manifests.filter((entry) => !isAttestation(entry));
    const [only, second] = artifacts;
    const isForAll = artifacts.every((entry) => entry.platform === undefined);
    if (isForAll && platform === undefined && (only === undefined || second !== undefined))
      throw ambiguous(document.descriptor, artifacts);
    const wanted = platform ?? hostPlatform();
    const chosen = isForAll && second === undefined ? only : choosePlatform(document.index, wanted);
    if (chosen === undefined) {
      throw new OciError(
        "NO_SUCH_PLATFORM",
        `Cannot find platform ${formatPlatform(wanted)} in index "${document.descriptor.digest}"`,
      );
    }
    document = await from.fetchManifest(chosen.digest, { signal });
  }
  return document;
}

function ambiguous({ digest }: Descriptor, entries: readonly Descriptor[]): OciError {
  const listed = entries.slice(0, MAX_LISTED).map((entry) => `@${entry.digest}`);
  return new OciError(
    "DOCUMENT_INVALID",
    `Cannot choose from index "${digest}": it lists ${entries.length} artifacts, for no platform`,
    listed.length === 0 ? {} : { hint: `Name one: ${listed.join(", ")}` },
  );
}
