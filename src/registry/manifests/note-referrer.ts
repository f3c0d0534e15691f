import { type Descriptor, digestOf, MEDIA_TYPES } from "../../oci/index.ts";
import { RegistryError } from "../error.ts";
import type { HostSession } from "../host-session.ts";
import { pushManifest } from "./push-manifest.ts";
import { fallbackTag, fetchFallback } from "./referrers.ts";

/** Writers of one index that undo each other's work are noticed by reading back; more rounds than this are no accident. */
const MAX_ROUNDS = 5;
/** Where the registry sees to it that nobody is undone, each round lost is one that somebody else has won. */
const MAX_MOVES = 50;

export interface NoteReferrerRequest {
  readonly repository: string;
  readonly subject: Descriptor;
  /** The manifest that refers to the subject. */
  readonly referrer: Descriptor;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Enters a referrer into the index under the fallback tag, for registries that do not do so by themselves. Entries of
 * others survive; what was overwritten by somebody at the same time is entered again.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 */
export async function noteReferrer(session: HostSession, request: NoteReferrerRequest): Promise<void> {
  const { repository, subject, referrer } = request;
  const isDone = await changeFallback(session, request, (entries) =>
    entries.some(({ digest }) => digest === referrer.digest) ? undefined : [...entries, referrer],
  );
  if (isDone) return;
  throw new RegistryError(
    "BAD_RESPONSE",
    `Cannot note "${referrer.digest}" as a referrer of "${subject.digest}": the index under tag ${fallbackTag(subject.digest)} keeps losing it`,
    { registry: session.registry, repository },
  );
}

/** Takes a referrer out of the fallback index, where there is one. */
export async function forgetReferrer(session: HostSession, request: NoteReferrerRequest): Promise<void> {
  await changeFallback(session, request, (entries) => {
    const left = entries.filter(({ digest }) => digest !== request.referrer.digest);
    return left.length === entries.length ? undefined : left;
  });
}

/**
 * Writes the index anew until it is as it should be, which reading it back tells.
 * @param change the entries there should be; undefined when they are right
 * @returns whether they became right
 */
async function changeFallback(
  session: HostSession,
  { repository, subject, signal }: NoteReferrerRequest,
  change: (entries: readonly Descriptor[]) => readonly Descriptor[] | undefined,
): Promise<boolean> {
  let refused: string | undefined;
  for (let writes = 0, moves = 0; writes < MAX_ROUNDS && moves < MAX_MOVES; ) {
    const current = await fetchFallback(session, { repository, subject: subject.digest, signal });
    const manifests = change(current?.document.index.manifests ?? []);
    if (manifests === undefined) return true;
    const version = strongVersion(current?.etag);
    // Where the very version that is there is refused, the mark is not the registry's own, and of no use.
    const ifMatch = version === refused ? undefined : version;
    const index = {
      ...current?.document.index,
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociIndex,
      manifests,
    };
    const bytes = Buffer.from(JSON.stringify(index));
    const { kind } = await pushManifest(session, {
      repository,
      descriptor: { mediaType: MEDIA_TYPES.ociIndex, digest: digestOf(bytes), size: bytes.byteLength },
      bytes,
      tag: fallbackTag(subject.digest),
      ifMatch,
      signal,
    });
    if (kind === "moved") {
      moves++;
      refused = version;
    } else {
      writes++;
    }
  }
  return false;
}

/** Weak marks never match in a condition for writing. */
function strongVersion(etag: string | undefined): string | undefined {
  return etag?.startsWith('"') === true ? etag : undefined;
}
