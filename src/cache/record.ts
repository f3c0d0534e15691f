import { type Digest, isDigest } from "../oci/digest.ts";
import type { Ingredients } from "./cache-key.ts";

/** What a step left: one layer on top of its parent. */
export interface StepResult {
  readonly diffId: Digest;
  /** Identity of the layer's files; with the parent's identity it makes that of the state after the step. */
  readonly treeId: Digest;
}

/** A step's outcome under a key, with what the key was made of. A small JSON file that a person can read. */
export interface CacheRecord {
  readonly version: 1;
  readonly key: Digest;
  /** The step as shown: `RUN npm ci`. */
  readonly step: string;
  readonly ingredients: Ingredients;
  readonly result: StepResult;
  /** RFC 3339, UTC: when the layer was made. */
  readonly createdAt: string;
  /** How long the step took when it ran. */
  readonly durationMs: number;
}

/** Checks a record read from disk; undefined for anything that is not one of this version. */
export function decodeCacheRecord(value: unknown): CacheRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const record = value as Partial<CacheRecord>;
  if (record.version !== 1 || typeof record.key !== "string" || !isDigest(record.key)) return undefined;
  if (
    typeof record.step !== "string" ||
    typeof record.ingredients !== "object" ||
    record.ingredients === null
  )
    return undefined;
  if (typeof record.createdAt !== "string" || typeof record.durationMs !== "number") return undefined;
  const result: Partial<StepResult> | undefined = record.result;
  if (typeof result?.diffId !== "string" || !isDigest(result.diffId)) return undefined;
  if (typeof result.treeId !== "string" || !isDigest(result.treeId)) return undefined;
  return record as CacheRecord;
}
