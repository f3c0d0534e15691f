import { type Digest, OciError } from "../../oci/index.ts";
import type { Answer } from "../transport/sender.ts";

/**
 * Compares what a registry says that it stored with what was sent. One by another algorithm says nothing.
 * @throws {OciError} BLOB_CORRUPT
 */
export function checkStoredDigest(answer: Answer, digest: Digest): void {
  const stated = answer.headers.one("docker-content-digest");
  if (stated === undefined || stated === digest || algorithmOf(stated) !== algorithmOf(digest)) return;
  throw new OciError(
    "BLOB_CORRUPT",
    `Cannot push blob "${digest}": the registry stored it as "${stated.slice(0, 200)}"`,
  );
}

function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(":"));
}
