import { type Descriptor, type Digest, OciError } from "../../oci/index.ts";
import { repositoryScope } from "../auth/scope.ts";
import { RegistryError, type RegistryErrorCode } from "../error.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { resolveManifest, showName } from "./fetch-manifest.ts";

/** What the specification wants every registry to take; larger ones may be refused, or not be read by others. */
const USUAL_BYTES = 4 * 1024 * 1024;

export interface PushManifestRequest {
  readonly repository: string;
  /** The bytes' media type, digest and size. */
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** Where to put it: under its digest when absent. */
  readonly tag?: string | undefined;
  /** Send it without asking whether it is there already: it cannot be, or the answer tells something. */
  readonly always?: boolean | undefined;
  /** Only while the tag is at this version (an ETag); not all registries heed it. */
  readonly ifMatch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PushManifestResult {
  /** "moved": the tag is not at the version that it had to be at, and nothing was written. */
  readonly kind: "pushed" | "unchanged" | "moved";
  /** What the registry says it has noted this manifest as a referrer of. */
  readonly subject: Digest | undefined;
}

/**
 * Puts a manifest or index under a tag or its digest. What is there already is left alone.
 * @throws {RegistryError} UNSUPPORTED for a protected tag, REFUSED when blobs that it names are missing, …
 */
export async function pushManifest(
  session: HostSession,
  request: PushManifestRequest,
): Promise<PushManifestResult> {
  const { repository, descriptor, bytes, tag, ifMatch, signal } = request;
  const name = tag ?? descriptor.digest;
  if (request.always !== true && (await isUnchanged(session, request, name)))
    return { kind: "unchanged", subject: undefined };
  if (bytes.byteLength > USUAL_BYTES) {
    session.warn(
      `The manifest of ${repository} has ${bytes.byteLength} bytes; many registries and clients take no more than ${USUAL_BYTES}`,
    );
  }
  const wire: RegistryRequest = {
    what: `push manifest "${showName(session.registry, repository, name)}"`,
    method: "PUT",
    target: `${repository}/manifests/${name}`,
    repository,
    scopes: [repositoryScope(repository, "pull", "push")],
    headers: {
      "content-type": descriptor.mediaType,
      ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
    },
    body: () => bytes,
    signal,
  };
  const answer = await session.request(wire);
  if (answer.status === 412 && ifMatch !== undefined) {
    answer.body.discard();
    return { kind: "moved", subject: undefined };
  }
  if (answer.status < 200 || answer.status > 204) throw await session.refuse(answer, wire);
  answer.body.discard();
  const stated = answer.headers.one("docker-content-digest");
  if (
    stated?.startsWith("sha256:") === true &&
    descriptor.digest.startsWith("sha256:") &&
    stated !== descriptor.digest
  ) {
    throw new OciError(
      "BLOB_CORRUPT",
      `Cannot push manifest "${name}": ${session.registry} stored it as "${stated.slice(0, 100)}", not "${descriptor.digest}"`,
    );
  }
  const subject = answer.headers.one("oci-subject");
  return { kind: "pushed", subject: subject as Digest | undefined };
}

/** Whoever cannot be asked cannot be pushed to either. */
const FINAL: ReadonlySet<RegistryErrorCode> = new Set(["UNREACHABLE", "TLS_FAILED", "RATE_LIMITED"]);

/** Saves a write, and for a tag an event in the registry. When it cannot be told, pushing is right. */
async function isUnchanged(
  session: HostSession,
  { repository, descriptor, signal }: PushManifestRequest,
  name: string,
): Promise<boolean> {
  try {
    const { descriptor: found } = await resolveManifest(session, {
      repository,
      name,
      signal,
      scopes: [repositoryScope(repository, "pull", "push")],
      headOnly: true,
    });
    return found.digest === descriptor.digest;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof RegistryError && FINAL.has(error.code)) throw error;
    return false;
  }
}
