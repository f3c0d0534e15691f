import {
  type Descriptor,
  type Digest,
  decodeManifestDocument,
  type ImageIndex,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPES,
  OciError,
  splitDigest,
} from "../../oci/index.ts";
import { repositoryScope } from "../auth/scope.ts";
import { RegistryError } from "../error.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import type { FetchedIndex } from "../images/types.ts";
import { ownTarget, parseNextLink } from "../link.ts";
import { BodyTooLongError, readBody } from "../transport/exchange.ts";
import type { Answer } from "../transport/sender.ts";
import { fetchManifestVersion } from "./fetch-manifest.ts";

const MAX_PAGES = 100;

export interface ReferrersRequest {
  readonly repository: string;
  /** The manifest that is referred to. */
  readonly subject: Digest;
  readonly artifactType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What refers to a manifest: signatures, attestations, SBOMs. Registries without the referrers API have them in an
 * index under a tag made from the digest.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export async function listReferrers(
  session: HostSession,
  request: ReferrersRequest,
): Promise<readonly Descriptor[]> {
  const found =
    (await listByApi(session, request)) ??
    (await fetchFallback(session, request))?.document.index.manifests ??
    [];
  const { artifactType } = request;
  // Filtering is optional for registries, so it is done here in any case.
  const wanted =
    artifactType === undefined ? found : found.filter((entry) => entry.artifactType === artifactType);
  const seen = new Set<Digest>();
  return wanted.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
}

/** The tag that stands in for the referrers API. */
export function fallbackTag(subject: Digest): string {
  const { algorithm, hex } = splitDigest(subject);
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}

/** The index under the fallback tag, and its version where the registry tells one; undefined when there is none. */
export async function fetchFallback(
  session: HostSession,
  { repository, subject, signal }: Pick<ReferrersRequest, "repository" | "subject" | "signal">,
): Promise<{ readonly document: FetchedIndex; readonly etag: string | undefined } | undefined> {
  try {
    const name = fallbackTag(subject);
    const { document, etag } = await fetchManifestVersion(session, { repository, name, signal });
    if (document.kind === "index") return { document, etag };
    session.warn(`The tag ${fallbackTag(subject)} of ${repository} is no index of referrers`);
    return undefined;
  } catch (error) {
    if (error instanceof RegistryError && error.code === "MANIFEST_NOT_FOUND") return undefined;
    throw error;
  }
}

/** undefined where the registry does not have the API. */
async function listByApi(
  session: HostSession,
  request: ReferrersRequest,
): Promise<readonly Descriptor[] | undefined> {
  if (session.referrersApi.isUnsupported()) return undefined;
  const { repository, subject, artifactType, signal } = request;
  const found: Descriptor[] = [];
  const query = artifactType === undefined ? "" : `?${new URLSearchParams({ artifactType })}`;
  let target: string | URL = `${repository}/referrers/${subject}${query}`;
  for (let page = 0; page < MAX_PAGES; page++) {
    const wire: RegistryRequest = {
      what: `list the referrers of "${subject}"`,
      method: "GET",
      target,
      repository,
      scopes: [repositoryScope(repository, "pull")],
      headers: { accept: MEDIA_TYPES.ociIndex },
      // One registry sends a person's browser somewhere useful from here; following is of no use to us.
      followRedirects: false,
      documentBytes: MAX_MANIFEST_BYTES,
      signal,
    };
    const answer: Answer = await session.request(wire);
    if (answer.status !== 200) {
      const refused = await session.refuse(answer, wire);
      if (!isUnsupported(answer.status, refused)) throw refused;
      session.referrersApi.noteUnsupported();
      return undefined;
    }
    const link = parseNextLink(answer.headers.all("link"));
    const index = await readIndex(answer, session, wire);
    if (index === undefined) {
      session.referrersApi.noteUnsupported();
      return undefined;
    }
    found.push(...index.manifests);
    const next = link === undefined ? undefined : ownTarget(link, answer.url);
    if (next === undefined || next.href === answer.url.href) break;
    target = next;
  }
  return found;
}

/** A registry that knows the API answers 200 for any digest; these mean that it does not. */
function isUnsupported(status: number, refused: Error): boolean {
  if (status >= 300 && status < 400) return true;
  if (refused instanceof RegistryError && refused.errors.some(({ code }) => code === "NAME_UNKNOWN"))
    return false;
  return status === 400 || status === 404 || status === 405 || status === 406 || status === 501;
}

async function readIndex(
  answer: Answer,
  session: HostSession,
  { what, repository }: RegistryRequest,
): Promise<ImageIndex | undefined> {
  const contentType = answer.headers.one("content-type") ?? "";
  try {
    const document = decodeManifestDocument(
      await readBody(answer.body, MAX_MANIFEST_BYTES),
      contentType.split(";")[0]?.trim(),
    );
    return document.kind === "index" ? document.index : undefined;
  } catch (error) {
    // A page for people, or another kind of answer: whoever sends that does not have the API.
    if (error instanceof OciError) return undefined;
    if (!(error instanceof BodyTooLongError)) throw error;
    throw new RegistryError(
      "BAD_RESPONSE",
      `Cannot ${what}: ${session.endpoint.host} sent ${error.message}`,
      { registry: session.registry, repository, status: answer.status },
    );
  }
}
