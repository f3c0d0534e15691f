import { type Descriptor, type Digest, OciError } from "../../oci/index.ts";
import { repositoryScope } from "../auth/scope.ts";
import { type Clock, sleep } from "../clock.ts";
import { RegistryError } from "../error.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { parseContentRange } from "../transport/content-range.ts";
import type { RetryBudget } from "../transport/retry.ts";
import type { Answer } from "../transport/sender.ts";
import type { BlobVersion } from "./blob-version.ts";

/** From this size on a faster way of reading pays for a connection of its own. */
const BULK_BYTES = 1024 * 1024;

export interface BlobRequest {
  readonly repository: string;
  readonly descriptor: Descriptor;
  /** First byte wanted; below the size, except for an empty blob. */
  readonly offset: number;
  /** First byte not wanted any more; the blob's end when absent. A host that does not keep to it is not read from. */
  readonly end?: number | undefined;
  /** See `OpenBlobOptions`. */
  readonly transient?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer with the bytes that are wanted, behind `surplus` others. */
export interface BlobAnswer {
  readonly answer: Answer;
  readonly surplus: number;
}

export interface RequestBlobDeps {
  readonly clock: Clock;
  readonly tries: RetryBudget;
  readonly version: BlobVersion;
  /**
   * Where hosts have sent us for this blob: the next range is asked for there, which spares the registry a request.
   * Such links expire; then the host is asked for a new one.
   */
  readonly storage?: Map<HostSession, URL> | undefined;
}

/**
 * Asks one host for a blob, from a byte on.
 * @throws {OciError} BLOB_NOT_FOUND; BLOB_CORRUPT when the host's blob has another size
 * @throws {RegistryError} UNSUPPORTED when a range with an end is not answered as such; everything else
 */
export async function requestBlob(
  session: HostSession,
  wanted: BlobRequest,
  { clock, tries, version, storage }: RequestBlobDeps,
): Promise<BlobAnswer> {
  const { descriptor, offset, end, signal } = wanted;
  const { digest, size } = descriptor;
  const repository = session.wireName(wanted.repository);
  const range =
    offset > 0 || end !== undefined ? `bytes=${offset}-${end === undefined ? "" : end - 1}` : undefined;
  const etag = range === undefined || end !== undefined ? undefined : version.of(session);
  const request: RegistryRequest = {
    what: `pull blob "${digest}" of ${session.registry}/${wanted.repository}`,
    method: "GET",
    target: `${repository}/blobs/${digest}`,
    repository,
    scopes: [repositoryScope(repository, "pull")],
    headers: range === undefined ? undefined : { range, ...(etag === undefined ? {} : { "if-range": etag }) },
    budget: tries,
    missing: "BLOB_NOT_FOUND",
    bulk: end !== undefined || size - offset >= BULK_BYTES,
    transient: wanted.transient,
    signal,
  };
  let mayBeDirect = true;
  for (;;) {
    const target = mayBeDirect ? storage?.get(session) : undefined;
    const answer = await session.request(target === undefined ? request : { ...request, target });
    const { status, headers } = answer;
    if (target !== undefined && status !== 206) {
      answer.body.discard();
      mayBeDirect = false;
      if (storage?.get(session) === target) storage.delete(session);
      continue;
    }
    if (status === 206 && range !== undefined) {
      const given = parseContentRange(headers.one("content-range"));
      const isWanted = given?.first === offset && (end === undefined || given.last === end - 1);
      if (isWanted && (given.total === undefined || given.total === size)) {
        if (answer.hops.length > 0) storage?.set(session, answer.url);
        version.note(session, answer);
        return { answer, surplus: 0 };
      }
      answer.body.discard();
      if (end !== undefined) throw noRanges(session, digest);
      return await requestWhole(session, wanted, request);
    }
    if (status === 200 && end === undefined) {
      checkLength(answer, session, descriptor);
      if (etag !== undefined) version.refused(session);
      version.note(session, answer);
      return { answer, surplus: offset };
    }
    if (status === 200) answer.body.discard();
    if (end !== undefined && (status === 200 || status === 416)) throw noRanges(session, digest);
    if (status === 416) {
      answer.body.discard();
      return await requestWhole(session, wanted, request);
    }
    // A storage behind the registry refuses links that are too old; the registry gives out new ones.
    const isStorage = answer.hops.length > 0 && (status === 401 || status === 403);
    const waitMs = isStorage ? tries.fail() : undefined;
    if (waitMs === undefined) throw asBlobError(await session.refuse(answer, request), status, digest);
    answer.body.discard();
    await sleep(clock, waitMs, signal);
  }
}

/** For hosts that cannot start in the middle: everything again, of which the first part is dropped. */
async function requestWhole(
  session: HostSession,
  { descriptor, offset }: BlobRequest,
  request: RegistryRequest,
): Promise<BlobAnswer> {
  const whole = { ...request, headers: undefined };
  const answer = await session.request(whole);
  if (answer.status !== 200)
    throw asBlobError(await session.refuse(answer, whole), answer.status, descriptor.digest);
  checkLength(answer, session, descriptor);
  return { answer, surplus: offset };
}

function checkLength(answer: Answer, session: HostSession, { digest, size }: Descriptor): void {
  const stated = answer.headers.one("content-length");
  if (stated === undefined || Number(stated) === size) return;
  answer.body.discard();
  throw new OciError(
    "BLOB_CORRUPT",
    `Cannot pull blob "${digest}": ${session.endpoint.host} has ${stated} bytes for it, not the ${size} of its descriptor`,
  );
}

/** For whoever asked for a range in order to be faster: the blob can still be had in one go. */
function noRanges(session: HostSession, digest: Digest): RegistryError {
  const { host } = session.endpoint;
  return new RegistryError(
    "UNSUPPORTED",
    `Cannot pull a range of blob "${digest}": ${host} answered with something else`,
    { registry: session.registry, method: "GET" },
  );
}

/** Whoever reads from any source of blobs looks for this code. */
function asBlobError(error: Error, status: number, digest: Digest): Error {
  if (status !== 404) return error;
  return new OciError("BLOB_NOT_FOUND", error.message, {
    cause: error,
    hint: `The registry has no blob "${digest}" in this repository; the image is incomplete there`,
  });
}
