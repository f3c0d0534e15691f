import { StrakeError } from "../errors.ts";

export type CacheErrorCode = "KEY_NOT_FOUND" | "KEY_AMBIGUOUS";

/** Something asked of the build cache that it cannot answer. A damaged record is never an error: it is a miss. */
export class CacheError extends StrakeError<CacheErrorCode> {}
