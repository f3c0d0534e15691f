import {
  createHasher,
  type Descriptor,
  type Digest,
  decodeManifestDocument,
  digestOf,
  isDigest,
  isIndexType,
  isManifestType,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPES,
  OciError,
  splitDigest,
} from "../../oci/index.ts";
import { repositoryScope, type Scope } from "../auth/scope.ts";
import { RegistryError } from "../error.ts";
import { isPage, pageHint } from "../hints.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import type { FetchedDocument } from "../images/types.ts";
import { BodyTooLongError, readBody } from "../transport/exchange.ts";
import type { RetryBudget } from "../transport/retry.ts";
import type { Answer } from "../transport/sender.ts";

/** All at once and always: registries convert to, or deny, what is not listed. */
const ACCEPT = [
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.dockerIndex,
  MEDIA_TYPES.dockerManifest,
].join(", ");

/** What networks damage comes right with the next try or the one after; what stays is the registry's own fault. */
const DAMAGED_TRIES = 3;

export interface ManifestRequest {
  readonly repository: string;
  /** A tag or a digest. */
  readonly name: string;
  /** What the token must allow; reading when absent. */
  readonly scopes?: readonly Scope[];
  /** Do not fall back to GET: "cannot tell" is answer enough. */
  readonly headOnly?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches a manifest or index. By digest the bytes must have it; by tag they must have the digest that the registry
 * names, if it names one. A `budget` may have been used up in part by requests before it.
 * @throws {RegistryError} MANIFEST_NOT_FOUND, BAD_RESPONSE, …
 */
export async function fetchManifest(
  session: HostSession,
  request: ManifestRequest,
  budget?: RetryBudget,
): Promise<FetchedDocument> {
  return (await fetchManifestVersion(session, request, budget)).document;
}

/** The same, with the mark by which the registry tells whether somebody has changed the tag since. */
export async function fetchManifestVersion(
  session: HostSession,
  request: ManifestRequest,
  budget?: RetryBudget,
): Promise<{ readonly document: FetchedDocument; readonly etag: string | undefined }> {
  const wire = { ...manifestRequest(session, "GET", request), budget };
  for (let tries = 1; ; tries++) {
    const answer = await session.request(wire);
    if (answer.status !== 200) throw await session.refuse(answer, wire);
    const result = await readManifest(session, answer, request);
    if (!("damaged" in result)) return { document: result, etag: answer.headers.one("etag") };
    if (tries === DAMAGED_TRIES) throw result.damaged;
  }
}

/**
 * The digest that a tag has now. By HEAD, which does not count against limits; where that gives no clear answer the
 * manifest itself is fetched and returned along.
 * @throws {RegistryError} MANIFEST_NOT_FOUND, …
 */
export async function resolveManifest(
  session: HostSession,
  request: ManifestRequest,
): Promise<{ readonly descriptor: Descriptor; readonly document?: FetchedDocument }> {
  const budget = session.newBudget();
  const wire = { ...manifestRequest(session, "HEAD", request), budget };
  const answer = await session.request(wire);
  answer.body.discard();
  const descriptor = answer.status === 200 ? headDescriptor(answer) : undefined;
  if (descriptor !== undefined && (!isDigest(request.name) || descriptor.digest === request.name))
    return { descriptor };
  // Where too much has been asked already, GET is only answered the same.
  if (request.headOnly === true || answer.status === 429) throw await session.refuse(answer, wire);
  // Some answer 404 or 403 to HEAD where GET works, and GET says why it does not.
  const document = await fetchManifest(session, request, budget);
  return { descriptor: document.descriptor, document };
}

function manifestRequest(
  session: HostSession,
  method: "GET" | "HEAD",
  request: ManifestRequest,
): RegistryRequest {
  const { repository, name, signal } = request;
  return {
    what: `fetch manifest "${showName(session.registry, repository, name)}"`,
    method,
    target: `${repository}/manifests/${name}`,
    repository,
    scopes: request.scopes ?? [repositoryScope(repository, "pull")],
    headers: { accept: ACCEPT },
    missing: "MANIFEST_NOT_FOUND",
    documentBytes: MAX_MANIFEST_BYTES,
    signal,
  };
}

/** "damaged" when the bytes may be right the next time. */
async function readManifest(
  session: HostSession,
  answer: Answer,
  request: ManifestRequest,
): Promise<FetchedDocument | { readonly damaged: Error }> {
  const { repository, name } = request;
  const fail = (fault: string, hint?: string): RegistryError =>
    new RegistryError(
      "BAD_RESPONSE",
      `Cannot fetch manifest "${showName(session.registry, repository, name)}": ${session.endpoint.host} sent ${fault}`,
      { registry: session.registry, repository, status: answer.status, hint },
    );
  const bytes = await readBounded(answer, fail);
  const asked = isDigest(name) ? name : undefined;
  const stated = namedDigest(answer);
  for (const expected of [asked, stated]) {
    if (expected === undefined) continue;
    const found = digestIn(bytes, expected);
    if (found === expected) continue;
    return {
      damaged: fail(
        `bytes with digest "${found}", ${expected === asked ? "not the one asked for" : `and says they have "${expected}"`}`,
        "A proxy or mirror on the way may change what it passes on",
      ),
    };
  }
  const contentType = (answer.headers.one("content-type") ?? "").split(";")[0]?.trim() ?? "";
  let document: ReturnType<typeof decodeManifestDocument>;
  try {
    document = decodeManifestDocument(bytes, contentType);
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    const what = `fetch manifest "${showName(session.registry, repository, name)}"`;
    const unusable = new OciError(
      error.code,
      `Cannot ${what}: ${session.endpoint.host} sent none that can be used`,
      { cause: error, hint: error.hint ?? (isPage(answer.headers) ? pageHint(session.registry) : undefined) },
    );
    // Bytes that have their digest will be the same again.
    if ((asked ?? stated) !== undefined) throw unusable;
    return { damaged: unusable };
  }
  const digest = asked ?? stated ?? digestOf(bytes);
  const descriptor = { mediaType: document.mediaType, digest, size: bytes.byteLength };
  return document.kind === "index"
    ? {
        kind: "index",
        descriptor: withArtifactType(descriptor, document.index.artifactType),
        bytes,
        index: document.index,
      }
    : {
        kind: "manifest",
        descriptor: withArtifactType(descriptor, document.manifest.artifactType),
        bytes,
        manifest: document.manifest,
      };
}

async function readBounded(answer: Answer, fail: (fault: string) => RegistryError): Promise<Uint8Array> {
  if (Number(answer.headers.one("content-length") ?? 0) > MAX_MANIFEST_BYTES) {
    answer.body.discard();
    throw fail(`more than ${MAX_MANIFEST_BYTES} bytes`);
  }
  try {
    return await readBody(answer.body, MAX_MANIFEST_BYTES);
  } catch (error) {
    if (error instanceof BodyTooLongError) throw fail(error.message);
    throw error;
  }
}

/** The digest in the registry's headers, on the way if not at the end. */
function namedDigest(answer: Answer): Digest | undefined {
  for (const headers of [answer.headers, ...answer.hops.toReversed()]) {
    const text = headers.one("docker-content-digest");
    if (text !== undefined && isDigest(text)) return text;
  }
  return undefined;
}

function headDescriptor(answer: Answer): Descriptor | undefined {
  const digest = namedDigest(answer);
  const size = Number(answer.headers.one("content-length") ?? Number.NaN);
  const mediaType = (answer.headers.one("content-type") ?? "").split(";")[0]?.trim() ?? "";
  if (digest === undefined || !Number.isSafeInteger(size) || size <= 0 || size > MAX_MANIFEST_BYTES)
    return undefined;
  return isIndexType(mediaType) || isManifestType(mediaType) ? { mediaType, digest, size } : undefined;
}

function digestIn(bytes: Uint8Array, like: Digest): Digest {
  const hasher = createHasher(splitDigest(like).algorithm);
  hasher.update(bytes);
  return hasher.digest();
}

function withArtifactType(descriptor: Descriptor, artifactType: string | undefined): Descriptor {
  return artifactType === undefined ? descriptor : { ...descriptor, artifactType };
}

/** `registry/repository:tag` or `…@digest`. */
export function showName(registry: string, repository: string, name: string): string {
  return `${registry}/${repository}${isDigest(name) ? "@" : ":"}${name}`;
}
