import type { Platform } from "../../oci/index.ts";
import type { ResolvedImage } from "../resolved-image.ts";
import type { PlanInput } from "./plan-input.ts";
import { countSteps, stagePlatform, stepName } from "./plan-stage.ts";
import { type StageState, startOnImage, startOnScratch, startOnStage } from "./planned-stage.ts";
import type { StageNode } from "./stage-node.ts";
import type { ContextVertex, StateVertex } from "./vertex.ts";

/** Where a stage begins: `state` when it has instructions to plan, `result` what it is before them. */
export function startOf(
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
  const unrecorded = {
    createdBy: `local source for ${node.baseName}`,
    emptyLayer: false,
    isUnrecorded: true,
  } as const;
  return {
    state: { ...state, history: [unrecorded] },
    result: context,
  };
}
