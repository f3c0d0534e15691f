import { computeCacheKey } from "../../cache/index.ts";
import { describeFailedFiles, describeFailedRun } from "../debug/describe-failure.ts";
import { withPlace } from "../graph/stage-graph.ts";
import type {
  CopyVertex,
  ExecVertex,
  ImageVertex,
  StateVertex,
  Vertex,
  WorkdirVertex,
} from "../graph/vertex.ts";
import { inputsOf } from "../graph/vertex.ts";
import type { ResolvedImage } from "../resolved-image.ts";
import type { SecretSource } from "../types.ts";
import { emptyCaches, holdCaches } from "./cache-mounts.ts";
import { openMounts } from "./exec-mounts.ts";
import { type MountInputs, mountIngredients } from "./mount-key.ts";
import {
  type CopyInputs,
  cheapCopyKey,
  copyKey,
  makeCopyLayer,
  makeWorkdirLayer,
  selectForCopy,
  workdirKey,
} from "./run-copy.ts";
import { execIngredients, runExec } from "./run-exec.ts";
import type { SourceFiles } from "./source-files.ts";
import { imageState, SCRATCH_STATE, type State } from "./state.ts";
import { type StepContext, takeKnownStep, takeStep } from "./step.ts";

export interface SolverOptions {
  readonly context: StepContext;
  readonly files: SourceFiles;
  readonly images: ReadonlyMap<string, ResolvedImage>;
  readonly secrets: readonly SecretSource[];
  readonly ssh: readonly { readonly id: string; readonly socketPath: string }[];
}

/** Something that happens at most once. */
interface Signpost {
  readonly reached: Promise<void>;
  readonly reach: () => void;
}

/**
 * Walks the graph from its end: each vertex once, its inputs first and side by side, each step from the cache
 * where its key is known. When `solve` fails, other steps may still be going on: abort the context's signal, then wait
 * for `settled`.
 */
export class Solver {
  readonly #options: SolverOptions;
  readonly #states = new Map<string, Promise<State>>();
  readonly #begun = new Map<string, Signpost>();

  constructor(options: SolverOptions) {
    this.#options = options;
  }

  /** Throws away what is in the caches that `--no-cache` is for. To be done before anything is solved. */
  async emptyIgnoredCaches(ends: readonly StateVertex[]): Promise<void> {
    const mounts = new Map<string, ExecVertex["mounts"]>();
    const visited = new Set<string>();
    const visit = (vertex: Vertex): void => {
      if (visited.has(vertex.id)) return;
      visited.add(vertex.id);
      if (vertex.kind === "exec" && vertex.ignoreCache) mounts.set(vertex.id, vertex.mounts);
      for (const input of inputsOf(vertex)) visit(input);
    };
    for (const end of ends) visit(end);
    await emptyCaches(this.#options.context.store, [...mounts.values()].flat());
  }

  /** The state that a vertex results in. */
  solve(vertex: StateVertex): Promise<State> {
    let state = this.#states.get(vertex.id);
    if (state === undefined) {
      state = this.#solve(vertex).catch((error: unknown) => {
        throw withPlace(error, vertex.at);
      });
      // Whoever asked gets the failure; one that nobody waits for any more is not unhandled.
      state.catch(() => undefined);
      this.#states.set(vertex.id, state);
    }
    return state;
  }

  /** Resolves when nothing that `solve` started is going on any more, however it ended. */
  async settled(): Promise<void> {
    for (let known = -1; known !== this.#states.size; ) {
      known = this.#states.size;
      await Promise.allSettled(this.#states.values());
    }
  }

  async #solve(vertex: StateVertex): Promise<State> {
    switch (vertex.kind) {
      case "scratch":
        return SCRATCH_STATE;
      case "image":
        return this.#solveImage(vertex);
      case "workdir":
        return this.#solveWorkdir(vertex);
      case "copy":
        return this.#solveCopy(vertex);
      case "exec":
        return this.#solveExec(vertex);
      default:
        return vertex satisfies never;
    }
  }

  async #solveImage(vertex: ImageVertex): Promise<State> {
    const image = this.#options.images.get(vertex.image);
    if (image === undefined) throw new Error(`invariant: image ${vertex.image} was resolved`);
    const { layers, onEvent, monotonic } = this.#options.context;
    const diffIds = image.layers.map(({ diffId }) => diffId);
    const areHere = await Promise.all(diffIds.map((diffId) => layers.isInStore(diffId)));
    const outcome = areHere.every((isHere) => isHere) ? "cached" : "done";
    onEvent({ kind: "step-started", vertex: vertex.id, name: vertex.name, atMs: monotonic() });
    onEvent({ kind: "step-finished", vertex: vertex.id, atMs: monotonic(), outcome });
    return imageState(diffIds);
  }

  async #solveWorkdir(vertex: WorkdirVertex): Promise<State> {
    const { context } = this.#options;
    const parent = await this.solve(vertex.input);
    return this.#keepingFailure(vertex, parent, () =>
      takeStep(context, {
        vertex,
        parent,
        ingredients: workdirKey(vertex, parent),
        make: () => makeWorkdirLayer(context, vertex, parent),
      }),
    );
  }

  /** Where a step without a process fails, what it failed on is its parent's files. */
  async #keepingFailure<T>(
    vertex: CopyVertex | WorkdirVertex,
    parent: State,
    work: () => Promise<T>,
  ): Promise<T> {
    const { context, images } = this.#options;
    try {
      return await work();
    } catch (error) {
      await context.keepFailure?.(async () => describeFailedFiles(vertex, parent, images), undefined);
      throw error;
    }
  }

  async #solveCopy(vertex: CopyVertex): Promise<State> {
    const solving = this.solve(vertex.input);
    const [parent] = await Promise.all([
      solving,
      this.#solveInputs(vertex),
      // What fails there fails the build at once; what goes on there longer is waited for where it is read.
      Promise.race([solving, this.#prefetch(vertex)]),
    ]);
    return this.#keepingFailure(vertex, parent, () => this.#copyOnto(vertex, parent));
  }

  /** Begins to get what a COPY takes from elsewhere, beside the steps that come before it. May never resolve. */
  async #prefetch(vertex: CopyVertex): Promise<void> {
    const isNeeded = vertex.ignoreCache ? Promise.resolve() : this.#anewBelow(vertex.input);
    const fetches = vertex.sources.map((source) => this.#options.files.prefetch(source, isNeeded));
    await Promise.all(fetches);
  }

  /** The same for what a RUN mounts. */
  async #prefetchMounts({ mounts }: ExecVertex): Promise<void> {
    const sources = mounts.flatMap((mount) =>
      (mount.kind === "bind" || mount.kind === "cache") && mount.from !== undefined ? [mount.from] : [],
    );
    await Promise.all(sources.map((from) => this.#options.files.prefetchTree(from)));
  }

  /** Resolves when a step is done anew that `vertex` stands on: what follows will hardly be in the cache then. */
  #anewBelow(vertex: StateVertex): Promise<void> {
    const steps: Promise<void>[] = [];
    for (let step = vertex; "input" in step; step = step.input) steps.push(this.#signpost(step.id).reached);
    return Promise.race(steps);
  }

  #signpost(id: string): Signpost {
    let signpost = this.#begun.get(id);
    if (signpost === undefined) {
      let reach = (): void => undefined;
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      signpost = { reached, reach };
      this.#begun.set(id, signpost);
    }
    return signpost;
  }

  async #copyOnto(vertex: CopyVertex, parent: State): Promise<State> {
    const { context, files } = this.#options;
    const inputs: CopyInputs = {
      open: (source) => files.open(source, vertex.sources, (state) => this.solve(state)),
      digests: (source) => files.digests(source),
      identity: async (source) =>
        source.kind === "tree" && source.from.kind !== "context"
          ? (await this.solve(source.from)).identity
          : files.remoteIdentity(source),
    };
    const cheap = await cheapCopyKey(vertex, parent, inputs);
    const cheapKey = cheap === undefined ? undefined : computeCacheKey(cheap);
    const key = cheapKey === undefined ? undefined : await context.cache.lookupAlias(cheapKey);
    const known = key === undefined ? undefined : await takeKnownStep(context, vertex, parent, key);
    if (known !== undefined) return known;
    const selected = await selectForCopy(context, vertex, parent, inputs);
    const ingredients = copyKey(vertex, parent, selected);
    const state = await takeStep(context, {
      vertex,
      parent,
      ingredients,
      make: async () => {
        this.#signpost(vertex.id).reach();
        await context.cache.storeFiles(
          selected.fingerprint.digest,
          selected.fingerprint.ingredients() as never,
        );
        return makeCopyLayer(context, vertex, parent, selected);
      },
    });
    if (cheapKey !== undefined) await context.cache.storeAlias(cheapKey, computeCacheKey(ingredients));
    return state;
  }

  async #solveExec(vertex: ExecVertex): Promise<State> {
    const { context, files, secrets, ssh } = this.#options;
    const solving = this.solve(vertex.input);
    const [parent] = await Promise.all([
      solving,
      this.#solveInputs(vertex),
      Promise.race([solving, this.#prefetchMounts(vertex)]),
    ]);
    const inputs: MountInputs = {
      state: (state) => this.solve(state),
      content: async (from, path) => (await files.snapshot(from, path)).content,
      layers: async (from, path) =>
        from.kind === "context"
          ? [await (await files.snapshot(from, path)).layer()]
          : (await this.solve(from)).layers.map(({ diffId }) => diffId),
      secrets,
      ssh,
    };
    const mounts = await mountIngredients(vertex, inputs);
    return takeStep(context, {
      vertex,
      parent,
      ingredients: execIngredients(vertex, parent, mounts),
      make: async () => {
        this.#signpost(vertex.id).reach();
        const { store, beginSignal, now } = context;
        using caches = await holdCaches(store, vertex.mounts, { signal: beginSignal, now });
        return await runExec(context, vertex, parent, {
          openMounts: () => openMounts(context, vertex, { ...inputs, caches }),
          keepFailure: async (upper) =>
            context.keepFailure?.(() => describeFailedRun(vertex, parent, inputs), upper),
        });
      },
    });
  }

  async #solveInputs(vertex: Vertex): Promise<void> {
    const states = inputsOf(vertex).filter((input): input is StateVertex => input.kind !== "context");
    await Promise.all(states.map((state) => this.solve(state)));
  }
}
