import { StrakeError } from "../../errors.ts";
import { DockerfileError, type Instruction, parseOnbuildTrigger } from "../../parser/index.ts";
import { nearest } from "../../util/nearest.ts";
import type { SourceSpan } from "../../util/span.ts";
import type { ResolvedImage } from "../resolved-image.ts";
import { familiarName, findNamedContext } from "./named-context.ts";
import type { PlanInput } from "./plan-input.ts";
import { stagePlatform } from "./plan-stage.ts";
import { at, type StageGraph, withPlace } from "./stage-graph.ts";
import { ownTriggers, type ResolvedBase, reachableFrom, type StageNode } from "./stage-node.ts";
import type { WordExpander } from "./word-expander.ts";

/**
 * Looks up the bases of all needed stages, side by side; again when a base's triggers turn out to need more.
 */
export async function resolveBases(
  input: PlanInput,
  stages: StageGraph,
  images: Map<string, ResolvedImage>,
  words: WordExpander,
): Promise<void> {
  for (;;) {
    const needed = reachableFrom(stages.target);
    await Promise.all([...needed].map((node) => resolveBase(node, input, { images, stages })));
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
  { images, stages }: { readonly images: Map<string, ResolvedImage>; readonly stages: StageGraph },
): Promise<void> {
  if (node.resolved !== undefined) return;
  if (node.namedContext === undefined && node.base.kind !== "name") return;
  try {
    node.resolved = await lookUpBase(node, input);
  } catch (error) {
    throw withNameHint(withPlace(error, node.at), node, stages);
  }
  if (node.resolved.kind === "image") images.set(node.resolved.key, node.resolved.image);
}

/** What may be wrong with the name of a base that was not got. */
function withNameHint(error: unknown, node: StageNode, stages: StageGraph): unknown {
  const hint = unsetHint(node) ?? stageHint(node, stages);
  if (hint === undefined || !(error instanceof StrakeError)) return error;
  return Object.defineProperty(error, "hint", { value: hint, enumerable: true });
}

function unsetHint({ unsetInBase }: StageNode): string | undefined {
  const [name] = unsetInBase;
  if (name === undefined) return undefined;
  return `${name} has no value: give it one with --build-arg ${name}=… or a default, ARG ${name}=…, before the first FROM`;
}

/** What is no stage's name is an image's. */
function stageHint({ baseName, namedContext }: StageNode, { stages }: StageGraph): string | undefined {
  const names = stages.flatMap(({ name }) => name ?? []);
  const close = namedContext === undefined ? nearest(baseName, names) : undefined;
  if (close === undefined) return undefined;
  return `No stage is called "${baseName}", so this means an image. Did you mean the stage "${close}"?`;
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

/** The images that stages stand on, by the names that the stages call them. */
export function basesOf(stages: readonly StageNode[]): ReadonlyMap<string, ResolvedImage> {
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
