import type { Dockerfile, Instruction, RunInstruction, Stage } from "../../../parser/index.ts";
import { parseRunMounts, runMountSources } from "../../../parser/index.ts";
import { CliError } from "../../error.ts";
import { type Located, locate } from "./location.ts";
import { collectArgs, type OutlineArg } from "./outline-args.ts";
import { tabulate } from "./tabulate.ts";

/** What a target takes from whoever builds it. */
export interface Outline {
  readonly name: string;
  readonly description: string;
  readonly args: readonly OutlineArg[];
  readonly secrets: readonly Needed[];
  readonly ssh: readonly Needed[];
  readonly cacheMounts: readonly string[];
}

/** A secret or an agent. */
export interface Needed {
  readonly name: string;
  readonly required: boolean;
  readonly line: number;
  readonly endLine: number;
}

export interface OutlineOptions {
  readonly target: string | undefined;
  /** Values that are given; they stand in place of the defaults. */
  readonly buildArgs: Readonly<Record<string, string>>;
}

/**
 * The arguments, secrets, SSH agents and cache mounts of a stage and of all it is made from.
 * @throws {CliError} INPUT_UNUSABLE when there is no such stage
 */
export function outlineOf(dockerfile: Dockerfile, options: OutlineOptions): Outline {
  const stage = findTarget(dockerfile, options.target);
  const used = withSources(dockerfile.stages, stage);
  const mounts = used
    .flatMap(({ commands }) => commands)
    .filter(isRun)
    .flatMap(readMounts);
  return {
    name: stage.name ?? "",
    description: stage.docComment,
    args: collectArgs(dockerfile, { stages: used, buildArgs: options.buildArgs }),
    secrets: collectNamed(mounts.filter(({ type }) => type === "secret")),
    ssh: collectNamed(mounts.filter(({ type }) => type === "ssh")),
    cacheMounts: [
      ...new Set(mounts.flatMap((mount) => (mount.type === "cache" ? [mount.id ?? mount.target ?? ""] : []))),
    ],
  };
}

/** As buildx prints it. */
export function formatOutline({ name, description, args, secrets, ssh }: Outline): string {
  const head = [
    ["TARGET:", name],
    ["DESCRIPTION:", description],
  ].filter(([, value]) => value !== "");
  const needed = (title: string, entries: readonly Needed[]): string =>
    tabulate([[title, "REQUIRED"], ...entries.map((each) => [each.name, each.required ? "true" : ""])], GAP);
  const rows = args.map((arg) => [arg.name, arg.value, arg.description]);
  return [
    head.length === 0 ? "" : tabulate(head, 1),
    args.length === 0 ? "" : tabulate([["BUILD ARG", "VALUE", "DESCRIPTION"], ...rows], GAP),
    secrets.length === 0 ? "" : needed("SECRET", secrets),
    ssh.length === 0 ? "" : needed("SSH", ssh),
  ]
    .filter((part) => part !== "")
    .map((part) => `${part}\n`)
    .join("");
}

const GAP = 3;

/** The members that buildx gives it in JSON, where nothing is left out; and `cacheMounts`, which it does not know. */
export function outlineToJson(outline: Outline): Readonly<Record<string, unknown>> {
  const { name, description, args, secrets, ssh, cacheMounts } = outline;
  const needed = ({ name: id, required, ...lines }: Needed): Located => ({
    name: id,
    ...(required ? { required } : {}),
    ...locate(lines),
  });
  return {
    ...(name === "" ? {} : { name }),
    ...(description === "" ? {} : { description }),
    ...(args.length === 0
      ? {}
      : {
          args: args.map((arg) => ({
            name: arg.name,
            ...(arg.description === "" ? {} : { description: arg.description }),
            ...(arg.value === "" ? {} : { value: arg.value }),
            ...locate(arg),
          })),
        }),
    ...(secrets.length === 0 ? {} : { secrets: secrets.map(needed) }),
    ...(ssh.length === 0 ? {} : { ssh: ssh.map(needed) }),
    ...(cacheMounts.length === 0 ? {} : { cacheMounts }),
  };
}

function findTarget({ stages }: Dockerfile, target: string | undefined): Stage {
  // Of two stages with one name the later is meant.
  const found =
    target === undefined ? stages.at(-1) : stages.findLast(({ name }) => name === target.toLowerCase());
  if (found !== undefined) return found;
  throw new CliError("INPUT_UNUSABLE", `target stage "${target ?? ""}" could not be found`);
}

/** A stage with all earlier ones that it is built on or takes files from, in the order of the file. */
function withSources(stages: readonly Stage[], target: Stage): Stage[] {
  const used = new Set<Stage>();
  const visit = (stage: Stage): void => {
    if (used.has(stage)) return;
    used.add(stage);
    const index = stages.indexOf(stage);
    const earlier = stages.slice(0, index);
    for (const name of sourceNames(stage)) {
      const source = earlier.findLast((each) => each.name === name.toLowerCase()) ?? earlier[Number(name)];
      if (source !== undefined) visit(source);
    }
  };
  visit(target);
  return stages.filter((stage) => used.has(stage));
}

function sourceNames(stage: Stage): string[] {
  const froms = stage.commands.flatMap((each) => {
    if (each.kind === "COPY") return each.from ?? [];
    return each.kind === "RUN" ? runMountSources(each).filter((from) => from !== undefined) : [];
  });
  return [stage.baseName, ...froms];
}

function isRun(instruction: Instruction): instruction is RunInstruction {
  return instruction.kind === "RUN";
}

type MountOfRun = ReturnType<typeof parseRunMounts>[number] & Pick<Needed, "line" | "endLine">;

function readMounts({ mounts, node }: RunInstruction): readonly MountOfRun[] {
  const lines = { line: node.startLine, endLine: node.endLine };
  // Names are shown as they are written: an outline doesn't know what variables will be.
  return parseRunMounts(mounts, (word) => word).map((mount) => ({ ...mount, ...lines }));
}

function collectNamed(mounts: readonly MountOfRun[]): readonly Needed[] {
  const named = new Map<string, Needed>();
  for (const { id, target, required, type, line, endLine } of mounts) {
    const name = id ?? (type === "ssh" ? "default" : (target?.split("/").at(-1) ?? ""));
    const before = named.get(name);
    const first = before ?? { line, endLine };
    named.set(name, { ...first, name, required: (before?.required ?? false) || required });
  }
  return [...named.values()];
}
