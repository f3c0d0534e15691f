import type { WritableTarget } from "../../builder/types.ts";
import type { Output } from "../output.ts";

/** Standard output as what an archive is written to: each chunk waits until the reader took it. */
export function standardOutputTarget(stdout: Output): WritableTarget {
  return { write: (chunk) => stdout.writeBytes(chunk) };
}
