import { DockerfileError } from "../../error.ts";
import type { AddInstruction } from "../../instructions/add.ts";
import type { ArgInstruction } from "../../instructions/arg.ts";
import type { Stage } from "../../stage.ts";
import { rangeOf } from "../range.ts";
import { planError } from "./plan-error.ts";
import { sourceKind } from "./remote-source.ts";
import type { Variables } from "./variables.ts";

/**
 * SOURCE_DATE_EPOCH is a number of seconds, `context`, or the name of a stage that does nothing but ADD one remote
 * source, whose time is taken.
 * @throws {DockerfileError} BAD_ARGUMENTS
 */
export function checkSourceDateEpoch(
  stages: readonly Stage[],
  globals: Variables,
  buildArgs: ReadonlyMap<string, string>,
): void {
  const value = buildArgs.get("SOURCE_DATE_EPOCH") ?? globals.get("SOURCE_DATE_EPOCH") ?? "";
  if (value === "" || value === "context" || /^[+-]?[0-9]+$/.test(value)) return;
  const stage = stages.find(({ name }) => name === value.toLowerCase());
  if (stage === undefined) {
    throw planError(
      "BAD_ARGUMENTS",
      `invalid SOURCE_DATE_EPOCH: ${value}`,
      undefined,
      "Give it seconds since 1970",
    );
  }
  const problem = stageProblem(stage, globals, buildArgs);
  if (problem !== undefined) throw planError("BAD_ARGUMENTS", problem, rangeOf(stage.from));
}

function stageProblem(
  stage: Stage,
  globals: Variables,
  buildArgs: ReadonlyMap<string, string>,
): string | undefined {
  const variables = globals.copy();
  try {
    if (variables.expand(stage.baseName) !== "scratch")
      return "SOURCE_DATE_EPOCH stage must use FROM scratch";
    const adds: AddInstruction[] = [];
    for (const command of stage.commands) {
      if (command.kind === "ARG") setArgs(command, variables, buildArgs);
      else if (command.kind !== "ADD")
        return `SOURCE_DATE_EPOCH stage does not meet source-only requirements: unsupported ${command.keyword} instruction`;
      else if (adds.push(command) > 1) return "SOURCE_DATE_EPOCH stage must contain exactly one remote ADD";
      else if (!isRemote(command, variables))
        return "SOURCE_DATE_EPOCH stage source must be a single HTTP(S) or Git ADD";
    }
    return adds.length === 1 ? undefined : "SOURCE_DATE_EPOCH stage must contain exactly one remote ADD";
  } catch (error) {
    if (error instanceof DockerfileError) return error.reason;
    throw error;
  }
}

function setArgs(
  { args }: ArgInstruction,
  variables: Variables,
  buildArgs: ReadonlyMap<string, string>,
): void {
  for (const { key, value } of args) {
    const given = buildArgs.get(key) ?? (value === undefined ? undefined : variables.expand(value));
    if (given !== undefined) variables.set(key, given);
  }
}

function isRemote({ contents, sources }: AddInstruction, variables: Variables): boolean {
  const [only] = sources;
  if (contents.length > 0 || sources.length !== 1 || only === undefined) return false;
  return sourceKind(variables.expand(only)) !== "path";
}
