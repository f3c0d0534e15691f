import type { ArgInstruction } from "../../instructions/arg.ts";
import type { EnvInstruction } from "../../instructions/env.ts";
import type { LabelInstruction } from "../../instructions/label.ts";
import { checkKeyValueFormat } from "../rules/legacy-key-value-format.ts";
import { checkSecretName } from "../rules/secrets-used-in-arg-or-env.ts";
import { NOT_VARIABLES } from "../rules/undefined-var.ts";
import type { CommandRun } from "./stage-run.ts";

/** All pairs of one ENV see the variables as they were before it. @throws {DockerfileError} BAD_SUBSTITUTION */
export function runEnv(instruction: EnvInstruction, run: CommandRun): void {
  const pairs = instruction.pairs.map(({ key, value }) => [run.expand(key), run.expand(value)] as const);
  checkKeyValueFormat(instruction, run.range, run.reporter);
  for (const [key, value] of pairs) {
    checkSecretName("ENV", key, run.range, run.reporter);
    run.state.variables.set(key, value);
  }
}

/** @throws {DockerfileError} BAD_SUBSTITUTION */
export function runLabel(instruction: LabelInstruction, run: CommandRun): void {
  for (const { key, value } of instruction.pairs) {
    run.expand(key);
    run.expand(value);
  }
  checkKeyValueFormat(instruction, run.range, run.reporter);
}

/** A build argument beats the default, which beats the ARG of that name before the first FROM. */
export function runArg(instruction: ArgInstruction, run: CommandRun): void {
  const { variables, args } = run.state;
  const { buildArgs, globals } = run.options;
  for (const { key, value: written } of instruction.args) {
    checkSecretName("ARG", key, run.range, run.reporter);
    const value = buildArgs.get(key) ?? (written === undefined ? globals.get(key) : run.expand(written));
    if (value !== undefined && !NOT_VARIABLES.has(key)) variables.set(key, value);
    args.add(key);
  }
}
