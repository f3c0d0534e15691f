export { BuildCache, type ListedRecord } from "./build-cache.ts";
export { canonicalJson, computeCacheKey, type Ingredient, type Ingredients } from "./cache-key.ts";
export { childIdentity, imageIdentity, SCRATCH_IDENTITY } from "./identity.ts";
export { type CacheRecord, decodeCacheRecord, type StepResult } from "./record.ts";
