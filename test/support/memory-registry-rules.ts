import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";

/** What registries do differently. All are off, or as distribution does it, unless set. */
export interface MemoryRegistryOptions {
  /** Has the referrers API, and says `OCI-Subject`. */
  readonly referrers?: boolean;
  /** Filters referrers by `artifactType`, and says so. */
  readonly filters?: boolean;
  /** Entries on a page of tags, repositories or referrers, with a `Link` to the next. */
  readonly pageSize?: number;
  /** What becomes of the bytes of a request that broke off: the session keeps them, or is gone as a whole. */
  readonly broken?: "keep" | "forget";
  /** The least that it takes as a piece of a blob, told by `OCI-Chunk-Min-Length`. */
  readonly minChunkBytes?: number;
  /** The most that it takes in one request. */
  readonly maxRequestBytes?: number;
  /** What it answers to an accepted piece. */
  readonly chunkStatus?: 201 | 202 | 204;
  /** What `Range` says after a piece: the truth, what was true at the start, or nothing. */
  readonly chunkRange?: "true" | "stale" | "none";
  /** A session can be asked where it stands. */
  readonly sessionStatus?: boolean;
  /** Locations of uploads as paths. */
  readonly relative?: boolean;
  /** A POST with a digest takes the blob at once. */
  readonly monolithicPost?: boolean;
  /** Mounts: done, or answered by a session, or refused. */
  readonly mount?: "do" | "session" | "refuse";
  /** Blobs are answered in parts where asked for. */
  readonly ranges?: boolean;
  /** Manifests have an `ETag`, and are replaced only where `If-Match` is right. */
  readonly versions?: boolean;
  /** Takes no manifest of OCI's media types, and says so with this status; none when it is absent. */
  readonly refusesOci?: 400 | 415;
  /** Waited for before a manifest is written: what happens meanwhile came first. */
  readonly beforePut?: (name: string) => Promise<void>;
  /** Tags can be deleted without their manifest. */
  readonly deletesTags?: boolean;
}

export function digestBy(like: string, bytes: Uint8Array): string {
  const algorithm = like.slice(0, like.indexOf(":"));
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string = `the test registry says ${code}`,
): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}
