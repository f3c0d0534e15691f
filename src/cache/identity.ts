import { type Digest, digestOf } from "../oci/digest.ts";

/*
 * Content identity: what a file system state is called inside cache keys. It is a hash chain over the trees of its
 * layers without times, so a step that ran again and made the same files leaves every later key as it was.
 */

/** Identity of nothing: FROM scratch. */
export const SCRATCH_IDENTITY: Digest = digestOf("strake:scratch");

/** Identity of a base image: its diffIDs say all, times included. */
export function imageIdentity(diffIds: readonly Digest[]): Digest {
  return diffIds.length === 0 ? SCRATCH_IDENTITY : digestOf(`strake:image\n${diffIds.join("\n")}`);
}

/** Identity of a state after a step whose layer has that treeID. */
export function childIdentity(parent: Digest, treeId: Digest): Digest {
  return digestOf(`strake:step\n${parent}\n${treeId}`);
}
