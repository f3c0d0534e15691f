import type { Dockerfile, Instruction, RunInstruction, Stage } from "../../../parser/index.ts";
import { parseRunMounts, runMountSources } from "../../../parser/index.ts";
import { CliError } from "../../error.ts";
import { formatTable } from "../../tables/table.ts";

/** What a target takes from whoever builds it. */
export interface Outline {
  readonly name: string;
  readonly description: string;
  readonly args: readonly { readonly name: string; readonly description: string; readonly value: string }[];
  readonly secrets: readonly { readonly name: string; readonly required: boolean }[];
  readonly ssh: readonly { readonly name: string; readonly required: boolean }[];
  readonly cacheMounts: readonly string[];
}

/**
 * The arguments, secrets, SSH agents and cache mounts of a stage and of all it is made from.
 * @param buildArgs values that are given; they stand in place of the defaults
 * @throws {CliError} INPUT_UNUSABLE when there is no such stage
 */
export function outlineOf(
  dockerfile: Dockerfile,
  {
    target,
    buildArgs,
  }: { readonly target: string | undefined; readonly buildArgs: Readonly<Record<string, string>> },
): Outline {
  const stage = findTarget(dockerfile, target);
  const used = withSources(dockerfile.stages, stage);
  const instructions = used.flatMap(({ commands }) => commands);
  const mounts = instructions.filter(isRun).flatMap(readMounts);
  const args = [...dockerfile.metaArgs, ...instructions.filter((each) => each.kind === "ARG")];
  return {
    name: stage.name ?? "",
    description: stage.docComment,
    args: collectArgs(args, buildArgs),
    secrets: collectNamed(mounts.filter(({ type }) => type === "secret")),
    ssh: collectNamed(mounts.filter(({ type }) => type === "ssh")),
    cacheMounts: [
      ...new Set(mounts.flatMap((mount) => (mount.type === "cache" ? [mount.id ?? mount.target ?? ""] : []))),
    ],
  };
}

/** As BuildKit prints it. */
export function formatOutline(outline: Outline): string {
  const head = [
    ...(outline.name === "" ? [] : [`TARGET:      ${outline.name}\n`]),
    ...(outline.description === "" ? [] : [`DESCRIPTION: ${outline.description}\n`]),
  ];
  const named = (title: string, entries: Outline["secrets"]): string =>
    formatTable(
      [title, "REQUIRED"],
      entries.map(({ name, required }) => [name, required ? "true" : ""]),
    );
  const tables = [
    ...(outline.args.length === 0
      ? []
      : [
          formatTable(
            ["BUILD ARG", "VALUE", "DESCRIPTION"],
            outline.args.map(({ name, value, description }) => [name, value, description]),
          ),
        ]),
    ...(outline.secrets.length === 0 ? [] : [named("SECRET", outline.secrets)]),
    ...(outline.ssh.length === 0 ? [] : [named("SSH", outline.ssh)]),
    ...(outline.cacheMounts.length === 0
      ? []
      : [
          formatTable(
            ["CACHE"],
            outline.cacheMounts.map((id) => [id]),
          ),
        ]),
  ];
  return [head.join(""), ...tables].filter((part) => part !== "").join("\n");
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

function readMounts(run: RunInstruction): ReturnType<typeof parseRunMounts> {
  // Names are shown as they are written: an outline doesn't know what variables will be.
  return parseRunMounts(run.mounts, (word) => word);
}

type ArgInstruction = Dockerfile["metaArgs"][number];

function collectArgs(
  instructions: readonly ArgInstruction[],
  buildArgs: Readonly<Record<string, string>>,
): Outline["args"][number][] {
  const args = new Map<string, Outline["args"][number]>();
  for (const { key, value, docComment } of instructions.flatMap((each) => each.args)) {
    const before = args.get(key);
    args.set(key, {
      name: key,
      description: docComment || (before?.description ?? ""),
      value: buildArgs[key] ?? value ?? before?.value ?? "",
    });
  }
  return [...args.values()];
}

function collectNamed(mounts: ReturnType<typeof parseRunMounts>): { name: string; required: boolean }[] {
  const named = new Map<string, boolean>();
  for (const { id, target, required, type } of mounts) {
    const name = id ?? (type === "ssh" ? "default" : (target?.split("/").at(-1) ?? ""));
    named.set(name, (named.get(name) ?? false) || required);
  }
  return [...named].map(([name, required]) => ({ name, required }));
}
