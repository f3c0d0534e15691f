import { type CacheRecord, computeCacheKey, type Ingredients } from "../../cache/index.ts";
import type { Digest } from "../../oci/index.ts";
import { splitDigest } from "../../oci/index.ts";
import type { Collaborators } from "../collaborators.ts";
import type { FailedStep } from "../debug/failed-step.ts";
import type { OnEvent } from "../events.ts";
import type { CopyVertex, ExecVertex, WorkdirVertex } from "../graph/vertex.ts";
import type { LayerAccess } from "./layer-access.ts";
import { childIdentity, type State, stateAfter } from "./state.ts";

export type StepVertex = CopyVertex | ExecVertex | WorkdirVertex;

/** A layer that a step has just made but that is not in the store yet. Disposing discards it unless committed. */
export interface MadeLayer extends AsyncDisposable {
  readonly diffId: Digest;
  readonly treeId: Digest;
  commit(): Promise<void>;
}

/** What every step needs from the build it belongs to. */
export interface StepContext
  extends Pick<Collaborators, "store" | "cache" | "sandbox" | "environment" | "now" | "monotonic"> {
  readonly layers: LayerAccess;
  readonly onEvent: OnEvent;
  readonly signal: AbortSignal;
  /** Aborted once nothing new may begin: `signal` is, or a step has failed. */
  readonly beginSignal: AbortSignal;
  /** Runs steps, a bounded number at once. */
  readonly limit: <T>(work: () => Promise<T>) => Promise<T>;
  /** Whether somebody in this build will read the files of the vertex's result. */
  readonly isRead: (vertex: StepVertex) => boolean;
  /** Keeps what it takes to enter a step that has failed; only the first of a build is. Never throws. */
  readonly keepFailure?: (describe: () => Promise<FailedStep>, upper: string | undefined) => Promise<void>;
  /** Called once for each step that ends well. */
  readonly onOutcome: (outcome: "done" | "cached") => void;
}

export interface StepOperation {
  readonly vertex: StepVertex;
  readonly parent: State;
  readonly ingredients: Ingredients;
  /** Does the work. Called at most once, while this process holds the key's lease. */
  readonly make: () => Promise<MadeLayer>;
}

/**
 * Takes a step: from the cache, or by doing it. Between processes one does the work and the others wait for it and
 * take its result. A step whose files turn out as an earlier one's takes that one's layer, so that everything
 * behind it, and what was pushed before, stays as it is.
 */
export async function takeStep(context: StepContext, operation: StepOperation): Promise<State> {
  const { vertex, parent, ingredients } = operation;
  context.beginSignal.throwIfAborted();
  const key = computeCacheKey(ingredients);
  const hit = await lookup(context, operation, key);
  if (hit !== undefined) return reportCached(context, vertex, parent, hit);
  return context.limit(() =>
    context.store.withLease(
      `step-${splitDigest(key).hex}`,
      async () => {
        // Another process may have done it while this one waited.
        const late = await lookup(context, operation, key);
        if (late !== undefined) return reportCached(context, vertex, parent, late);
        return perform(context, operation, key);
      },
      { signal: context.beginSignal },
    ),
  );
}

/** Takes a step by a key that is known to be its; undefined when there is no result under it (any more). */
export async function takeKnownStep(
  context: StepContext,
  vertex: StepVertex,
  parent: State,
  key: Digest,
): Promise<State | undefined> {
  const record = await lookup(context, { vertex }, key);
  return record === undefined ? undefined : reportCached(context, vertex, parent, record);
}

async function lookup(
  { cache, layers }: StepContext,
  { vertex }: Pick<StepOperation, "vertex">,
  key: Digest,
): Promise<CacheRecord | undefined> {
  if (vertex.ignoreCache) return undefined;
  const record = await cache.lookup(key);
  if (record === undefined || !(await layers.isAvailable(record.result.diffId))) return undefined;
  return record;
}

function reportCached(context: StepContext, vertex: StepVertex, parent: State, record: CacheRecord): State {
  const atMs = context.monotonic();
  context.onEvent({ kind: "step-started", vertex: vertex.id, name: vertex.name, atMs });
  context.onEvent({ kind: "step-finished", vertex: vertex.id, atMs, outcome: "cached" });
  context.onOutcome("cached");
  const { diffId, treeId } = record.result;
  return stateAfter(parent, {
    diffId,
    identity: childIdentity(parent.identity, treeId),
    createdAt: record.createdAt,
  });
}

async function perform(
  context: StepContext,
  { vertex, parent, ingredients, make }: StepOperation,
  key: Digest,
): Promise<State> {
  context.beginSignal.throwIfAborted();
  const { cache, layers, onEvent, monotonic } = context;
  const startedMs = monotonic();
  onEvent({ kind: "step-started", vertex: vertex.id, name: vertex.name, atMs: startedMs });
  let outcome: "done" | "failed" | "canceled" = "failed";
  let note: string | undefined;
  try {
    await using made = await make();
    const identity = childIdentity(parent.identity, made.treeId);
    const earlier = await cache.layerOf(identity);
    const isReused = earlier !== undefined && (await layers.isAvailable(earlier.diffId));
    const createdAt = isReused ? earlier.createdAt : new Date(context.now()).toISOString();
    const diffId = isReused ? earlier.diffId : made.diffId;
    if (isReused) {
      note = "same files as before: the earlier layer is kept";
    } else {
      await made.commit();
      await cache.storeLayerOf(identity, { diffId, createdAt });
    }
    const durationMs = Math.round(monotonic() - startedMs);
    const result = { diffId, treeId: made.treeId };
    await cache.store({ version: 1, key, step: vertex.name, ingredients, result, createdAt, durationMs });
    outcome = "done";
    context.onOutcome("done");
    return stateAfter(parent, { diffId, identity, createdAt });
  } catch (error) {
    // Where the wait for a cache mount was given up, nothing of the step has run.
    if (context.beginSignal.aborted && error === context.beginSignal.reason) outcome = "canceled";
    throw error;
  } finally {
    if (outcome === "failed" && context.signal.aborted) outcome = "canceled";
    onEvent({
      kind: "step-finished",
      vertex: vertex.id,
      atMs: monotonic(),
      outcome,
      ...(note === undefined ? {} : { note }),
    });
  }
}
