import { availableParallelism } from "node:os";
import { formatPlatform, type Platform } from "../oci/index.ts";
import type { Dockerfile } from "../parser/index.ts";
import { runBuildChecks } from "./checks/build-checks.ts";
import type { Collaborators } from "./collaborators.ts";
import { keepFirstFailure } from "./debug/keep-failure.ts";
import { type BuiltImage, putConfig } from "./export/image-documents.ts";
import { writeOutputs } from "./export/write-outputs.ts";
import { contextPaths } from "./graph/context-paths.ts";
import { parseBoolean } from "./graph/git-source.ts";
import { GraphBuilder } from "./graph/graph-builder.ts";
import { type PlannedBuild, planBuild } from "./graph/plan-build.ts";
import { readVertices } from "./graph/read-vertices.ts";
import { assembleConfig } from "./image/assemble-config.ts";
import { runStep } from "./run-step.ts";
import { BuildStop } from "./solve/build-stop.ts";
import { LayerAccess } from "./solve/layer-access.ts";
import { Solver } from "./solve/solver.ts";
import { SourceFiles } from "./solve/source-files.ts";
import type { State } from "./solve/state.ts";
import type { StepContext } from "./solve/step.ts";
import { BaseImages } from "./sources/base-images.ts";
import { ContextTrees } from "./sources/context-trees.ts";
import { loadDockerfile, parseDockerfileText } from "./sources/read-dockerfile.ts";
import { RemoteSources } from "./sources/remote-sources.ts";
import { resolveImage, resolveLayout } from "./sources/resolve-image.ts";
import type { BuildOptions, BuildResult } from "./types.ts";

/**
 * Builds an image: parse, plan, solve, export. Platforms are built side by side in one graph, so what they share
 * is done once. Steps that were finished stay in the cache whatever happens after them.
 * @throws {DockerfileError}, {BuildError}, {FilesError}, {RegistryError}, {StoreError}; the signal's reason
 */
export async function build(collaborators: Collaborators, options: BuildOptions): Promise<BuildResult> {
  const stop = new BuildStop(options.signal);
  const { signal } = stop;
  const remote = new RemoteSources(collaborators, options, signal);
  const contexts = new ContextTrees({
    dockerfile: options.dockerfile,
    remote,
    tmpDir: collaborators.store.tmpDir,
    keepGitDir: parseBoolean(options.buildArgs["BUILDKIT_CONTEXT_KEEP_GIT_DIR"] ?? "") === true,
    signal,
  });
  let run: BuildRun | undefined;
  try {
    const text = await loadDockerfile(options, contexts, remote);
    options.onDockerfile?.(text.file, text.text);
    const dockerfile = parseDockerfileText(text);
    run = new BuildRun(collaborators, options, { dockerfile, contexts, remote, stop });
    return await run.build();
  } catch (error) {
    // The first failure is the one that is told.
    await stop.end(error, async () => run?.settled());
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    await run?.close();
    await remote.close();
  }
}

/** Steps often wait (for a network, a lock, a sleep): more may run than there are cores. */
const MIN_PARALLEL_STEPS = 8;

class BuildRun {
  readonly #collaborators: Collaborators;
  readonly #options: BuildOptions;
  readonly #dockerfile: Dockerfile;
  readonly #stop: BuildStop;
  readonly #signal: AbortSignal;
  readonly #contexts: ContextTrees;
  readonly #remote: RemoteSources;
  #solver: Solver | undefined;
  #files: SourceFiles | undefined;
  #done = 0;
  #cached = 0;

  constructor(
    collaborators: Collaborators,
    options: BuildOptions,
    {
      dockerfile,
      contexts,
      remote,
      stop,
    }: {
      readonly dockerfile: Dockerfile;
      readonly contexts: ContextTrees;
      readonly remote: RemoteSources;
      readonly stop: BuildStop;
    },
  ) {
    this.#collaborators = collaborators;
    this.#options = options;
    this.#dockerfile = dockerfile;
    this.#stop = stop;
    this.#signal = stop.signal;
    this.#contexts = contexts;
    this.#remote = remote;
  }

  async build(): Promise<BuildResult> {
    const { store, now, monotonic } = this.#collaborators;
    const plans = await this.#plan();
    const warnings = await this.#check(plans);
    const layers = new LayerAccess({
      store,
      images: plans.flatMap(({ images }) => [...images.values()]),
      onEvent: this.#options.onEvent,
      monotonic,
      signal: this.#signal,
    });
    const results = await this.#solve(plans, layers);
    const images: BuiltImage[] = [];
    for (const [index, plan] of plans.entries()) {
      const epoch =
        plan.epochSeconds === undefined ? undefined : new Date(plan.epochSeconds * 1000).toISOString();
      const config = assembleConfig(plan.image, results[index] as State, {
        now: new Date(now()).toISOString(),
        ...(epoch === undefined ? {} : { epoch: epoch.replace(".000Z", "Z") }),
      });
      const configDescriptor = await putConfig(store, config);
      images.push({
        platform: plan.image.platform,
        config,
        configDescriptor,
        baseLayers: plan.image.baseLayers,
        epochSeconds: plan.epochSeconds,
      });
    }
    const written = await writeOutputs(images, {
      ...this.#collaborators,
      options: this.#options,
      layers,
      states: results,
      signal: this.#signal,
    });
    // An output may have rewritten the images: then those are the result.
    const built =
      written?.images.map(({ platform, imageId }) => ({ platform, imageId })) ??
      images.map(({ platform, configDescriptor }) => ({ platform, imageId: configDescriptor.digest }));
    const [{ imageId }] = built as [(typeof built)[number]];
    return {
      id: written?.id ?? imageId,
      imageId,
      images: built,
      ...(written === undefined ? {} : { manifest: written.manifest }),
      stepsTotal: this.#done + this.#cached,
      stepsCached: this.#cached,
      warnings,
    };
  }

  /** Waits for whatever is still going on. */
  async settled(): Promise<void> {
    await this.#solver?.settled();
  }

  async close(): Promise<void> {
    // What was learned about files is a cache: that it cannot be kept is no reason to fail a build.
    await this.#files?.save().catch(() => undefined);
  }

  async #plan(): Promise<readonly PlannedBuild[]> {
    const { hostPlatforms } = this.#collaborators;
    const [buildPlatform] = hostPlatforms;
    if (buildPlatform === undefined) throw new TypeError("hostPlatforms must not be empty");
    const { platforms, pull } = this.#options;
    const targets = platforms.length === 0 ? [buildPlatform] : platforms;
    const images = new BaseImages((name, found) => this.#resolve(name, found), { isFresh: pull });
    for (;;) {
      const graph = new GraphBuilder();
      const plans = await Promise.all(
        targets.map((targetPlatform) =>
          planBuild({
            dockerfile: this.#dockerfile,
            options: this.#options,
            buildPlatform,
            targetPlatform,
            isPlatformGiven: platforms.length > 0,
            graph,
            resolveImage: (name, platform) => images.find(name, platform),
            resolveLayout: (name, layout, platform) => resolveLayout(name, layout, platform),
          }),
        ),
      );
      if (!images.forgetMixed()) return plans;
    }
  }

  async #check(plans: readonly PlannedBuild[]): Promise<readonly string[]> {
    const [buildPlatform] = this.#collaborators.hostPlatforms;
    const [plan] = plans;
    if (buildPlatform === undefined || plan === undefined) return [];
    const { onEvent } = this.#options;
    const { bases } = plan;
    const ignoreFile = await this.#contexts.ignoreFile({ context: "", source: this.#options.context });
    return runBuildChecks({
      dockerfile: this.#dockerfile,
      options: this.#options,
      buildPlatform,
      bases,
      ignore: ignoreFile?.ignore,
      onEvent,
    });
  }

  async #resolve(
    name: string,
    { platform, isFresh }: { readonly platform: Platform; readonly isFresh: boolean },
  ): ReturnType<typeof resolveImage> {
    const { onEvent, platforms } = this.#options;
    const signal = this.#signal;
    const shownPlatform = platforms.length > 1 ? `${formatPlatform(platform)} ` : "";
    const step = {
      vertex: `resolve ${name} ${formatPlatform(platform)}`,
      name: `[${shownPlatform}internal] load metadata for ${name}`,
      onEvent,
      nowMs: this.#collaborators.monotonic,
      signal,
    };
    return await runStep(step, () =>
      resolveImage(name, this.#collaborators, { platform, pull: isFresh, signal }),
    );
  }

  async #solve(plans: readonly PlannedBuild[], layers: LayerAccess): Promise<readonly State[]> {
    const { store, cache, sandbox, environment, now, monotonic } = this.#collaborators;
    const { onEvent, onFailedStep, maxParallelism, outputs, secrets, ssh } = this.#options;
    const { default: pLimit } = await import("p-limit");
    const limit = pLimit(maxParallelism ?? Math.max(MIN_PARALLEL_STEPS, availableParallelism()));
    const areFilesExported = outputs.some(({ kind }) => kind === "local" || kind === "tar");
    const ends = plans.map(({ result }) => result);
    const read = readVertices(ends, areFilesExported);
    let paths: ReturnType<typeof contextPaths> | undefined;
    const context: StepContext = {
      store,
      cache,
      sandbox,
      ...(environment === undefined ? {} : { environment }),
      now,
      monotonic,
      layers,
      onEvent,
      signal: this.#signal,
      beginSignal: this.#stop.beginSignal,
      limit: (work) => limit(work),
      isRead: (vertex) => read.has(vertex.id),
      ...(onFailedStep === undefined ? {} : { keepFailure: keepFirstFailure(onFailedStep, this.#signal) }),
      onOutcome: (outcome) => void (outcome === "cached" ? this.#cached++ : this.#done++),
    };
    const files = new SourceFiles({
      store,
      layers,
      contexts: this.#contexts,
      remote: this.#remote,
      onEvent,
      now,
      monotonic,
      signal: this.#signal,
      epochSeconds: plans[0]?.epochSeconds,
      contextPaths: () => (paths ??= contextPaths(ends)),
    });
    const images = new Map(plans.flatMap((plan) => [...plan.images]));
    const solver = new Solver({ context, files, images, secrets, ssh });
    this.#files = files;
    this.#solver = solver;
    if (this.#options.noCache !== false) await solver.emptyIgnoredCaches(ends);
    return Promise.all(ends.map((end) => solver.solve(end)));
  }
}
