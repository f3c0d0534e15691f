import { formatPlatform } from "../../oci/index.ts";
import { BuildError } from "../error.ts";
import type { ResolvedImage } from "../resolved-image.ts";
import type { BuildOptions } from "../types.ts";
import type { EnvList } from "./env-list.ts";
import { predefinedArgs, proxyEnvironment } from "./global-args.ts";
import { findNamedContext } from "./named-context.ts";
import type { Plan, PlannedImage } from "./plan.ts";
import type { PlanInput } from "./plan-input.ts";
import { planStage, stagePlatform } from "./plan-stage.ts";
import type { StageState } from "./planned-stage.ts";
import { basesOf, resolveBases } from "./resolve-bases.ts";
import { at, StageGraph } from "./stage-graph.ts";
import { reachableFrom, type StageNode } from "./stage-node.ts";
import { startOf } from "./start-stage.ts";
import { WordExpander } from "./word-expander.ts";

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

function undeclaredIn(nodes: ReadonlySet<StageNode>): readonly StageNode[] {
  return [...nodes].filter(({ isDeclared }) => !isDeclared);
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
