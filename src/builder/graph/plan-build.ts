import { formatPlatform, type Platform } from "../../oci/index.ts";
import {
  type Dockerfile,
  DockerfileError,
  type Instruction,
  parseOnbuildTrigger,
} from "../../parser/index.ts";
import type { SourceSpan } from "../../util/span.ts";
import { BuildError } from "../error.ts";
import type { ResolvedImage } from "../sources/resolved-image.ts";
import type { BuildOptions, ContextSource } from "../types.ts";
import type { EnvList } from "./env-list.ts";
import { predefinedArgs, proxyEnvironment } from "./global-args.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { familiarName, findNamedContext } from "./named-context.ts";
import type { Plan, PlannedImage } from "./plan.ts";
import { countSteps, planStage, stagePlatform, stepName } from "./plan-stage.ts";
import { type StageState, startOnImage, startOnScratch, startOnStage } from "./planned-stage.ts";
import { at, StageGraph, withPlace } from "./stage-graph.ts";
import { ownTriggers, type ResolvedBase, reachableFrom, type StageNode } from "./stage-node.ts";
import type { ContextVertex, StateVertex } from "./vertex.ts";
import { WordExpander } from "./word-expander.ts";

export interface PlanInput {
  readonly dockerfile: Dockerfile;
  readonly options: BuildOptions;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  /** The build was asked for the target platform by name: the result then says that it is for it. */
  readonly isPlatformGiven: boolean;
  readonly graph: GraphBuilder;
  /** Looks a base image up; asked for each image that the target needs. */
  readonly resolveImage: (name: string, platform: Platform) => Promise<ResolvedImage>;
  readonly resolveLayout: (
    name: string,
    layout: ContextSource & { readonly kind: "oci-layout" },
    platform: Platform,
  ) => Promise<ResolvedImage>;
}

/** A plan together with the images that it stands on, by the keys its image vertices use. */
export interface PlannedBuild extends Plan {
  readonly images: ReadonlyMap<string, ResolvedImage>;
  /** The same by the names that stages call them. */
  readonly bases: ReadonlyMap<string, ResolvedImage>;
}

/**
 * Plans the build of one platform: picks the stages that the target needs, looks up their base images side by side,
 * and turns instructions into vertices. Reads no file of the context and runs nothing.
 * @throws {BuildError}, {DockerfileError}; whatever `resolveImage` throws: all with a place in the Dockerfile
 */
export async function planBuild(input: PlanInput): Promise<PlannedBuild> {
  const { dockerfile, options, graph } = input;
  const words = new WordExpander(dockerfile.escape);
  const globalArgs = globalArguments(input, words);
  const stages = new StageGraph(dockerfile, {
    globalArgs,
    words,
    // Like Docker, an empty --target (from an empty variable, say) asks for none.
    target: options.target || undefined,
    namedContext: (name, platform = input.targetPlatform) =>
      findNamedContext(options.buildContexts, name, platform),
  });
  const epochSeconds = sourceDateEpoch(options.buildArgs);
  const images = new Map<string, ResolvedImage>();
  await resolveBases(input, stages, images, words);
  const bases = basesOf(stages.stages);
  const needed = reachableFrom(stages.target);
  const context = graph.add({
    kind: "context",
    name: "[internal] load build context",
    at: undefined,
    context: "",
    source: options.context,
  });
  const proxyEnv = proxyEnvironment(options.buildArgs);
  const isShownWithPlatform = options.platforms.length > 1;
  const isStageShown = stages.stages.length > 1;
  for (const node of undeclaredIn(needed)) node.result = startOf(node, input, images).result;
  for (const node of stages.stages) {
    if (!needed.has(node)) continue;
    const platform = stagePlatform(node, input.targetPlatform);
    const shown = {
      shownPlatform: isShownWithPlatform ? formatPlatform(platform) : undefined,
      isStageShown,
    };
    const { state, result } = startOf(node, input, images, shown);
    node.result = result;
    if (state === undefined) continue;
    planStage(node, state, {
      ...options,
      graph,
      words,
      globalArgs,
      context,
      proxyEnv,
      epochSeconds,
      ...shown,
      ignoreCache: isCacheIgnored(options.noCache, node),
    });
    node.state = state;
    node.result = state.vertex;
  }
  const { target } = stages;
  const result = target.state;
  if (result === undefined) return planContextTarget(target, input, images);
  return {
    image: finishImage(result, input),
    result: result.vertex,
    images,
    bases,
    ...(epochSeconds === undefined ? {} : { epochSeconds }),
  };
}

/** The ARGs before the first FROM, with the predefined ones. */
function globalArguments({ dockerfile, options, ...input }: PlanInput, words: WordExpander): EnvList {
  const lastStage = dockerfile.stages.at(-1)?.name ?? "";
  let env = predefinedArgs({
    buildPlatform: input.buildPlatform,
    targetPlatform: input.targetPlatform,
    target: options.target || lastStage,
    buildArgs: options.buildArgs,
  });
  for (const instruction of dockerfile.metaArgs) {
    for (const { key, value: written } of instruction.args) {
      const expanded =
        written === undefined ? undefined : at(instruction.at, () => words.expand(written, env));
      const value = options.buildArgs[key] ?? expanded;
      if (value !== undefined) env = env.with(key, value);
    }
  }
  return env;
}

/**
 * Looks up the bases of all needed stages, side by side; again when a base's triggers turn out to need more.
 */
async function resolveBases(
  input: PlanInput,
  stages: StageGraph,
  images: Map<string, ResolvedImage>,
  words: WordExpander,
): Promise<void> {
  for (;;) {
    const needed = reachableFrom(stages.target);
    await Promise.all([...needed].map((node) => resolveBase(node, input, images)));
    let hasNewSources = false;
    for (const node of stages.stages) {
      if (!needed.has(node) || node.isTriggered) continue;
      node.isTriggered = true;
      hasNewSources = addTriggers(node, stages, words) || hasNewSources;
    }
    if (!hasNewSources) return;
  }
}

async function resolveBase(
  node: StageNode,
  input: PlanInput,
  images: Map<string, ResolvedImage>,
): Promise<void> {
  if (node.resolved !== undefined) return;
  if (node.namedContext === undefined && node.base.kind !== "name") return;
  try {
    node.resolved = await lookUpBase(node, input);
  } catch (error) {
    throw withPlace(error, node.at);
  }
  if (node.resolved.kind === "image") images.set(node.resolved.key, node.resolved.image);
}

async function lookUpBase(node: StageNode, input: PlanInput): Promise<ResolvedBase> {
  const { options } = input;
  const platform = stagePlatform(node, input.targetPlatform);
  const source =
    node.namedContext ?? findNamedContext(options.buildContexts, familiarName(node.baseName), platform);
  if (source === undefined) {
    const image = await input.resolveImage(node.baseName, platform);
    return { kind: "image", key: imageKey(image), image };
  }
  if (source.kind === "docker-image") {
    const image = await input.resolveImage(source.reference, platform);
    return { kind: "image", key: imageKey(image), image };
  }
  if (source.kind === "oci-layout") {
    const image = await input.resolveLayout(node.baseName, source, platform);
    return { kind: "image", key: imageKey(image), image };
  }
  return { kind: "context", source };
}

function basesOf(stages: readonly StageNode[]): ReadonlyMap<string, ResolvedImage> {
  const bases = new Map<string, ResolvedImage>();
  for (const { resolved, baseName } of stages)
    if (resolved?.kind === "image") bases.set(baseName, resolved.image);
  return bases;
}

function imageKey(image: ResolvedImage): string {
  return `${image.manifest.digest} ${image.shownAs}`;
}

/** A fault in a trigger is reported at the FROM that sets it off: its own file is not there. */
function parseTrigger(expression: string, at: SourceSpan): Instruction {
  try {
    return parseOnbuildTrigger(expression);
  } catch (cause) {
    if (!(cause instanceof DockerfileError)) throw cause;
    const shown = JSON.stringify(expression.slice(0, MAX_TRIGGER_SHOWN));
    throw new DockerfileError(cause.code, `Cannot follow the ONBUILD trigger ${shown}: ${cause.reason}`, {
      at,
      cause,
      hint: cause.hint,
    });
  }
}

/** Characters of a trigger in a message. */
const MAX_TRIGGER_SHOWN = 120;

/** Puts the triggers of a stage's base in front of its instructions; whether they name new sources. */
function addTriggers(node: StageNode, stages: StageGraph, words: WordExpander): boolean {
  const place = node.at;
  if (place === undefined) return false;
  const inherited =
    node.base.kind === "stage"
      ? ownTriggers(node.base.stage)
      : node.resolved?.kind === "image"
        ? (node.resolved.image.config.config?.OnBuild ?? [])
        : [];
  const commands = inherited.map((expression) =>
    at(place, () => stages.command(parseTrigger(expression, place), place, { words, isTrigger: true })),
  );
  node.commands = [...commands, ...node.commands];
  return commands.some(({ sources }) => sources.some((source) => source !== undefined));
}

function undeclaredIn(nodes: ReadonlySet<StageNode>): readonly StageNode[] {
  return [...nodes].filter(({ isDeclared }) => !isDeclared);
}

/** Where a stage begins: `state` when it has instructions to plan, `result` what it is before them. */
function startOf(
  node: StageNode,
  input: PlanInput,
  images: ReadonlyMap<string, ResolvedImage>,
  shown?: { readonly shownPlatform: string | undefined; readonly isStageShown: boolean },
): { readonly state?: StageState; readonly result: ContextVertex | StateVertex } {
  const { graph } = input;
  const platform = stagePlatform(node, input.targetPlatform);
  const scratch = graph.add({ kind: "scratch", name: "scratch", at: undefined });
  if (node.namedContext === undefined && node.base.kind === "stage") {
    const base = node.base.stage.state;
    if (base !== undefined) return { state: startOnStage(base), result: base.vertex };
    // The base is a stage that a context replaces: begin on its files.
    return startOnFiles(node.base.stage, scratch, input, platform);
  }
  if (node.resolved === undefined)
    return { state: startOnScratch(input.targetPlatform, scratch), result: scratch };
  if (node.resolved.kind === "context") return startOnFiles(node, scratch, input, platform);
  const image = images.get(node.resolved.key);
  if (image === undefined) throw new Error(`invariant: image ${node.resolved.key} was resolved`);
  const vertex = graph.add({
    kind: "image",
    name:
      shown === undefined
        ? `FROM ${image.shownAs}`
        : stepName(node, `FROM ${image.shownAs}`, { ...shown, number: 1, total: countSteps(node) }),
    at: node.at,
    image: node.resolved.key,
  });
  const result = image.layers.length === 0 ? scratch : vertex;
  return { state: startOnImage(image.config, image.platform, result), result };
}

/** A stage whose base is a folder: its files are one layer on nothing. */
function startOnFiles(
  node: StageNode,
  scratch: StateVertex,
  { graph }: PlanInput,
  platform: Platform,
): { readonly state: StageState; readonly result: ContextVertex | StateVertex } {
  if (node.resolved?.kind !== "context") throw new Error("invariant: the stage stands on a context");
  const context = graph.add({
    kind: "context",
    name: `[context ${node.shownName}] load`,
    at: node.at,
    context: node.shownName,
    source: node.resolved.source,
  });
  const vertex = graph.add({
    kind: "copy",
    name: `[context ${node.shownName}] files`,
    at: node.at,
    instruction: "COPY",
    input: scratch,
    sources: [{ kind: "tree", from: context, path: "/", written: "/" }],
    destination: "/",
    link: false,
    exclude: [],
    unpack: false,
    ignoreCache: false,
  });
  const state = startOnScratch(platform, vertex);
  return {
    state: { ...state, history: [{ createdBy: `FROM ${node.shownName}`, emptyLayer: false }] },
    result: context,
  };
}

/** `--target` names a stage that a context replaces. */
function planContextTarget(
  target: StageNode,
  input: PlanInput,
  images: ReadonlyMap<string, ResolvedImage>,
): PlannedBuild {
  const { state } = startOf(target, input, images);
  if (state === undefined) throw new BuildError("UNKNOWN_STAGE", `Cannot build stage "${target.shownName}"`);
  return { image: finishImage(state, input), result: state.vertex, images, bases: new Map() };
}

function finishImage(
  state: StageState,
  { options, targetPlatform, isPlatformGiven }: PlanInput,
): PlannedImage {
  const labels = { ...state.config.Labels, ...options.labels };
  return {
    platform: isPlatformGiven ? targetPlatform : state.platform,
    ...(state.author === undefined ? {} : { author: state.author }),
    config: { ...state.config, ...(Object.keys(labels).length === 0 ? {} : { Labels: labels }) },
    baseHistory: state.baseHistory,
    baseLayers: state.baseLayers,
    history: state.history,
  };
}

function isCacheIgnored(noCache: BuildOptions["noCache"], node: StageNode): boolean {
  if (typeof noCache === "boolean") return noCache;
  return noCache.some((name) => name.toLowerCase() === (node.name ?? node.shownName));
}

/** SOURCE_DATE_EPOCH as a build argument; a default in the Dockerfile has no effect. */
function sourceDateEpoch(buildArgs: Readonly<Record<string, string>>): number | undefined {
  const text = buildArgs["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return undefined;
  if (/^[0-9]{1,12}$/.test(text)) return Number(text);
  throw new BuildError("DOCKERFILE_INVALID", `invalid SOURCE_DATE_EPOCH: ${text}`, {
    hint: "It is a number of seconds since 1970-01-01, e.g. $(git log -1 --format=%ct)",
  });
}
