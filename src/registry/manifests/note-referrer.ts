import {
  type Descriptor,
  digestOf,
  type ImageIndex,
  type ImageManifest,
  MEDIA_TYPES,
} from "../../oci/index.ts";
import { RegistryError } from "../error.ts";
import type { HostSession } from "../host-session.ts";
import { pushManifest } from "./push-manifest.ts";
import { fallbackTag, fetchFallback } from "./referrers.ts";

/** Writers of one index that undo each other's work are noticed by reading back; more rounds than this are no accident. */
const MAX_ROUNDS = 5;

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
  const { repository, subject, referrer, signal } = request;
  const where = { repository, subject: subject.digest, signal };
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const current = await fetchFallback(session, where);
    const entries = current?.index.manifests ?? [];
    if (entries.some(({ digest }) => digest === referrer.digest)) return;
    await putFallback(session, where, current?.index, [...entries, referrer]);
  }
  throw new RegistryError(
    "BAD_RESPONSE",
    `Cannot note "${referrer.digest}" as a referrer of "${subject.digest}": the index under tag ${fallbackTag(subject.digest)} keeps losing it`,
    { registry: session.registry, repository },
  );
}

/** Takes a referrer out of the fallback index, where there is one. */
export async function forgetReferrer(session: HostSession, request: NoteReferrerRequest): Promise<void> {
  const { repository, subject, referrer, signal } = request;
  const where = { repository, subject: subject.digest, signal };
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const current = await fetchFallback(session, where);
    const entries = current?.index.manifests ?? [];
    const left = entries.filter(({ digest }) => digest !== referrer.digest);
    if (left.length === entries.length) return;
    await putFallback(session, where, current?.index, left);
  }
}

/** The descriptor of a manifest as referrers lists show it. */
export function referrerDescriptor(descriptor: Descriptor, document: ImageManifest | ImageIndex): Descriptor {
  const { mediaType, digest, size } = descriptor;
  const artifactType =
    document.artifactType ?? ("config" in document ? document.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
  };
}

async function putFallback(
  session: HostSession,
  where: {
    readonly repository: string;
    readonly subject: Descriptor["digest"];
    readonly signal: AbortSignal | undefined;
  },
  current: ImageIndex | undefined,
  manifests: readonly Descriptor[],
): Promise<void> {
  const index = { ...current, schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
  const bytes = Buffer.from(JSON.stringify(index));
  await pushManifest(session, {
    repository: where.repository,
    descriptor: { mediaType: MEDIA_TYPES.ociIndex, digest: digestOf(bytes), size: bytes.byteLength },
    bytes,
    tag: fallbackTag(where.subject),
    signal: where.signal,
  });
}
