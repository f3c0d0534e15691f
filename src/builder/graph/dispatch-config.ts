import type { Healthcheck } from "../../oci/index.ts";
import type {
  ArgInstruction,
  CmdInstruction,
  EntrypointInstruction,
  EnvInstruction,
  ExposeInstruction,
  HealthcheckInstruction,
  KeyValue,
  LabelInstruction,
  OnbuildInstruction,
  ShellInstruction,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from "../../parser/index.ts";
import { BuildError } from "../error.ts";
import type { EnvList } from "./env-list.ts";
import { parseExposedPort } from "./exposed-ports.ts";
import { formatDuration, plainList, quote, quoteList, quoteRune } from "./go-format.ts";
import { cleanPath } from "./paths.ts";
import type { StageState } from "./planned-stage.ts";
import { checkStopSignal } from "./stop-signal.ts";
import type { WordExpander } from "./word-expander.ts";

/*
 * The instructions that change nothing but the image config. Each takes the stage as it is, changes the members that
 * are its own and returns the text of its history entry, in Docker's words.
 */

/** What they read and change of a stage. */
export type ConfigState = Pick<StageState, "config" | "env" | "isCmdSet" | "buildArgs">;

/** How words become what they mean. */
export type Words = Pick<WordExpander, "expand" | "split">;

const DEFAULT_SHELL: readonly string[] = ["/bin/sh", "-c"];

export function applyEnv(
  stage: ConfigState,
  instruction: Pick<EnvInstruction, "pairs">,
  words: Words,
): string {
  const pairs = expandPairs(instruction.pairs, words, stage.env);
  for (const { key, value } of pairs) {
    stage.env = stage.env.with(key, value);
    stage.config.Env = setVariable(stage.config.Env ?? [], key, value);
  }
  return `ENV ${pairs.map(pairText).join(" ")}`;
}

export function applyLabel(
  stage: ConfigState,
  instruction: Pick<LabelInstruction, "pairs">,
  words: Words,
): string {
  const pairs = expandPairs(instruction.pairs, words, stage.env);
  stage.config.Labels = {
    ...stage.config.Labels,
    ...Object.fromEntries(pairs.map(({ key, value }) => [key, value])),
  };
  return `LABEL ${pairs.map(pairText).join(" ")}`;
}

/** ARG: a build argument beats the default written here, which beats the global ARG of that name. */
export function applyArg(
  stage: ConfigState,
  instruction: ArgInstruction,
  words: Words,
  given: { readonly buildArgs: Readonly<Record<string, string>>; readonly globalArgs: EnvList },
): string {
  const texts: string[] = [];
  for (const { key, value: written } of instruction.args) {
    const value =
      given.buildArgs[key] ??
      (written === undefined ? given.globalArgs.get(key) : words.expand(written, stage.env));
    if (value !== undefined) stage.env = stage.env.with(key, value);
    stage.buildArgs = [...stage.buildArgs, [key, value]];
    texts.push(value === undefined ? key : `${key}=${value}`);
  }
  return `ARG ${texts.join(" ")}`;
}

export function applyCmd(stage: ConfigState, instruction: CmdInstruction): string {
  const argv = commandLine(stage, instruction);
  stage.config.Cmd = argv;
  stage.config.ArgsEscaped = true;
  stage.isCmdSet = true;
  return `CMD ${quoteList(argv)}`;
}

export function applyEntrypoint(stage: ConfigState, instruction: EntrypointInstruction): string {
  const argv = commandLine(stage, instruction);
  stage.config.Entrypoint = argv;
  // A CMD that came with the base image was meant for the base's own entrypoint.
  if (!stage.isCmdSet) delete stage.config.Cmd;
  return `ENTRYPOINT ${quoteList(argv)}`;
}

export function applyHealthcheck(stage: ConfigState, instruction: HealthcheckInstruction): string {
  const { test, intervalNs, timeoutNs, startPeriodNs, startIntervalNs, retries } = instruction;
  const healthcheck: Healthcheck = {
    Test: test,
    ...(intervalNs === 0 ? {} : { Interval: intervalNs }),
    ...(timeoutNs === 0 ? {} : { Timeout: timeoutNs }),
    ...(startPeriodNs === 0 ? {} : { StartPeriod: startPeriodNs }),
    ...(startIntervalNs === 0 ? {} : { StartInterval: startIntervalNs }),
    ...(retries === 0 ? {} : { Retries: retries }),
  };
  stage.config.Healthcheck = healthcheck;
  const durations = [intervalNs, timeoutNs, startPeriodNs, startIntervalNs].map((value) =>
    quote(formatDuration(value)),
  );
  return `HEALTHCHECK &{${quoteList(test)} ${durations.join(" ")} ${quoteRune(retries)}}`;
}

export function applyExpose(
  stage: ConfigState,
  instruction: Pick<ExposeInstruction, "ports">,
  words: Words,
): string {
  const keys = instruction.ports
    .flatMap((port) => words.split(port, stage.env))
    .flatMap((port) => parseExposedPort(port));
  const ports = Object.fromEntries(keys.map((key) => [key, {}]));
  if (Object.keys(ports).length > 0) stage.config.ExposedPorts = { ...stage.config.ExposedPorts, ...ports };
  return `EXPOSE ${plainList(keys)}`;
}

export function applyVolume(
  stage: ConfigState,
  instruction: Pick<VolumeInstruction, "volumes">,
  words: Words,
): string {
  const volumes = instruction.volumes.map((volume) => words.expand(volume, stage.env));
  if (volumes.includes(""))
    throw new BuildError("DOCKERFILE_INVALID", "VOLUME specified can not be an empty string");
  stage.config.Volumes = {
    ...stage.config.Volumes,
    ...Object.fromEntries(volumes.map((path) => [path, {}])),
  };
  return `VOLUME ${plainList(volumes)}`;
}

export function applyUser(stage: ConfigState, { user }: Pick<UserInstruction, "user">, words: Words): string {
  stage.config.User = words.expand(user, stage.env);
  return `USER ${stage.config.User}`;
}

/** STOPSIGNAL. @throws {BuildError} DOCKERFILE_INVALID */
export function applyStopSignal(
  stage: ConfigState,
  { signal }: Pick<StopsignalInstruction, "signal">,
  words: Words,
): string {
  const chosen = words.expand(signal, stage.env);
  checkStopSignal(chosen);
  stage.config.StopSignal = chosen;
  return `STOPSIGNAL ${chosen}`;
}

export function applyShell(stage: ConfigState, { shell }: Pick<ShellInstruction, "shell">): string {
  stage.config.Shell = shell;
  return `SHELL ${plainList(shell)}`;
}

export function applyWorkdir(
  stage: ConfigState,
  { path: written }: Pick<WorkdirInstruction, "path">,
  words: Words,
): string {
  const expanded = words.expand(written, stage.env);
  const current = stage.config.WorkingDir || "/";
  // An absolute path is stored as it was written, a relative one joined and cleaned, an empty one changes nothing.
  const chosen = expanded === "" ? current : expanded;
  const path = chosen.startsWith("/") ? chosen : cleanPath(chosen, current);
  stage.config.WorkingDir = path;
  return `WORKDIR ${path}`;
}

/** ONBUILD: kept for whoever builds on the image. */
export function applyOnbuild(
  stage: ConfigState,
  { expression }: Pick<OnbuildInstruction, "expression">,
): string {
  stage.config.OnBuild = [...(stage.config.OnBuild ?? []), expression];
  return `ONBUILD ${expression}`;
}

/** A command line with the shell in front when it was not written as JSON. */
export function commandLine(
  stage: ConfigState,
  { argv, isShellForm }: { readonly argv: readonly string[]; readonly isShellForm: boolean },
): readonly string[] {
  if (!isShellForm) return argv;
  const { Shell } = stage.config;
  return [...(Shell === undefined || Shell.length === 0 ? DEFAULT_SHELL : Shell), argv.join(" ")];
}

function expandPairs(pairs: readonly KeyValue[], words: Words, env: EnvList): readonly KeyValue[] {
  // All of one instruction expand against the environment before it.
  return pairs.map(({ key, value, ...rest }) => ({
    ...rest,
    key: words.expand(key, env),
    value: words.expand(value, env),
  }));
}

function pairText({ key, value }: KeyValue): string {
  return `${key}=${value}`;
}

function setVariable(entries: readonly string[], key: string, value: string): readonly string[] {
  const entry = `${key}=${value}`;
  const at = entries.findIndex((existing) => existing.split("=", 1)[0] === key);
  return at < 0 ? [...entries, entry] : entries.with(at, entry);
}
