import type { SourceSpan } from "../../../util/span.ts";
import { cleanPath } from "../../ignore/clean-path.ts";
import type { CmdInstruction } from "../../instructions/cmd.ts";
import type { EntrypointInstruction } from "../../instructions/entrypoint.ts";
import type { ExposeInstruction } from "../../instructions/expose.ts";
import type { HealthcheckInstruction } from "../../instructions/healthcheck.ts";
import type { Instruction } from "../../instructions/index.ts";
import type { WorkdirInstruction } from "../../instructions/workdir.ts";
import { checkExposeFormat } from "../rules/expose-invalid-format.ts";
import { checkProtocolCasing } from "../rules/expose-proto-casing.ts";
import { checkJsonArgs } from "../rules/json-args-recommended.ts";
import { checkUsedOnce } from "../rules/multiple-instructions-disallowed.ts";
import { checkWorkdir } from "../rules/workdir-relative-path.ts";
import { splitExposedPort } from "./exposed-port.ts";
import { located } from "./plan-error.ts";
import { runCopy } from "./run-copy.ts";
import { runMounts } from "./run-mounts.ts";
import { runArg, runEnv, runLabel } from "./run-settings.ts";
import { CommandRun, type StageRunOptions } from "./stage-run.ts";
import type { PlannedStage, StageState } from "./stages.ts";
import { isStopSignal } from "./stop-signal.ts";

/** The last CMD, ENTRYPOINT and HEALTHCHECK of a stage. */
type Seen = Map<Instruction["kind"], { readonly range: SourceSpan }>;

/**
 * Looks at a stage's instructions one after the other, starting from `state`, and leaves what becomes of it in the stage.
 * @throws {DockerfileError} for the first that would fail the build
 */
export function runStage(stage: PlannedStage, state: StageState, options: StageRunOptions): void {
  stage.state = state;
  const seen: Seen = new Map();
  for (const command of stage.commands) {
    runInstruction(command.instruction, new CommandRun(stage, state, command, options), seen);
  }
}

function runInstruction(instruction: Instruction, run: CommandRun, seen: Seen): void {
  switch (instruction.kind) {
    case "ADD":
    case "COPY":
      runCopy(instruction, run);
      return;
    case "ARG":
      runArg(instruction, run);
      return;
    case "ENV":
      runEnv(instruction, run);
      return;
    case "LABEL":
      runLabel(instruction, run);
      return;
    case "RUN":
      runMounts(instruction, run);
      return;
    case "CMD":
    case "ENTRYPOINT":
      checkOnce(instruction, run, seen);
      checkJsonArgs(instruction, run.state.hasShell, run.range, run.reporter);
      return;
    case "HEALTHCHECK":
      checkOnce(instruction, run, seen);
      return;
    case "EXPOSE":
      runExpose(instruction, run);
      return;
    case "WORKDIR":
      runWorkdir(instruction, run);
      return;
    case "USER":
      run.expand(instruction.user);
      return;
    case "VOLUME":
      if (instruction.volumes.map((volume) => run.expand(volume)).includes("")) {
        throw run.fail("BAD_ARGUMENTS", "VOLUME specified can not be an empty string");
      }
      return;
    case "STOPSIGNAL": {
      const signal = run.expand(instruction.signal);
      if (isStopSignal(signal)) return;
      throw run.fail(
        "BAD_ARGUMENTS",
        `invalid signal: ${signal}`,
        "Write a number or a name such as SIGTERM",
      );
    }
    case "SHELL":
      run.state.hasShell = true;
      return;
    case "MAINTAINER":
    case "ONBUILD":
      return;
    default:
      instruction satisfies never;
  }
}

function checkOnce(
  instruction: CmdInstruction | EntrypointInstruction | HealthcheckInstruction,
  run: CommandRun,
  seen: Seen,
): void {
  const { range } = run;
  checkUsedOnce(seen.get(instruction.kind), { keyword: instruction.keyword, range }, run.reporter);
  seen.set(instruction.kind, { range });
}

function runExpose({ ports }: ExposeInstruction, run: CommandRun): void {
  for (const port of ports.flatMap((words) => located(run.range, () => run.state.variables.split(words)))) {
    const split = splitExposedPort(port);
    if (typeof split === "string") throw run.fail("BAD_ARGUMENTS", split, "Write 80, 80/udp or 8000-8010");
    checkProtocolCasing(port, split.protocol, run.range, run.reporter);
    checkExposeFormat(port, split.host, run.range, run.reporter);
    if (split.problem !== undefined)
      throw run.fail("BAD_ARGUMENTS", split.problem, "Write 80, 80/udp or 8000-8010");
  }
}

function runWorkdir(instruction: WorkdirInstruction, run: CommandRun): void {
  const path = run.expand(instruction.path);
  const { state } = run;
  if (!state.isWorkdirSet) checkWorkdir(path, run.stage.platform.os, run.range, run.reporter);
  state.isWorkdirSet = true;
  if (path !== "") state.workdir = path.startsWith("/") ? path : cleanPath(`${state.workdir}/${path}`);
}
