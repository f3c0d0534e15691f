import { readFile } from "node:fs/promises";
import {
  decodeFailedStep,
  type EnterCommand,
  enterFailedStep,
  type FailedStep,
  missingSecrets,
} from "../../builder/debug/index.ts";
import { BuildError, type BuildOptions } from "../../builder/index.ts";
import { RecordPaths } from "../../builder/records/index.ts";
import type { CommandContext } from "../command.ts";
import { openView } from "../progress/open-view.ts";
import { oneLine } from "../text.ts";
import { openCollaborators } from "./open-collaborators.ts";

export interface EnterBuildOptions extends Pick<BuildOptions, "secrets" | "ssh"> {
  readonly command: EnterCommand;
  readonly shell?: string;
  readonly hostShell?: string;
  readonly user?: string;
  readonly env: readonly string[];
}

/**
 * Runs a command in the step at which a build failed.
 * @returns the command's exit code
 * @throws {BuildError} CANNOT_ENTER, and what `enterFailedStep` throws
 */
export async function enterBuild(
  id: string,
  options: EnterBuildOptions,
  context: CommandContext,
): Promise<number> {
  const { settings, signal, stderr, isInteractive } = context;
  const paths = new RecordPaths(settings.storeRoot, id);
  const step = await readFailedStep(id, paths);
  if (options.command.kind === "shell") {
    if (!isInteractive) throw noTerminal();
    stderr.write(welcome(step, options));
  }
  const term = settings.variables["TERM"];
  const env = isInteractive && term !== undefined ? [`TERM=${term}`, ...options.env] : options.env;
  // Layers that were never needed are fetched now, which takes its time.
  const view = await openView("plain", "Fetching", context);
  const { onEvent } = view;
  await using collaborators = await openCollaborators(context, onEvent);
  return await enterFailedStep(step, paths.failedFiles, collaborators, {
    ...options,
    env,
    terminal: isInteractive,
    onEvent,
    onReady: () => view.close(),
    signal,
  });
}

async function readFailedStep(id: string, { failedStep }: RecordPaths): Promise<FailedStep> {
  const text = await readFile(failedStep, "utf8").catch(() => "");
  const step = decodeFailedStep(text);
  if (step !== undefined) return step;
  throw new BuildError("CANNOT_ENTER", `Cannot enter a step of build ${id}: none that failed is kept of it`, {
    hint: "Failed steps are kept of the newest three builds that have one, for seven days: build again",
  });
}

function noTerminal(): BuildError {
  return new BuildError("CANNOT_ENTER", "Cannot open a shell: standard input and output are no terminal", {
    hint: "Give the shell a line with --command 'ls -l', or run a program: strake debug -- ls -l",
  });
}

function welcome(step: FailedStep, options: EnterBuildOptions): string {
  const place = step.place === undefined ? "" : `, ${step.place.file}:${step.place.line}`;
  const missing = missingSecrets(step, options);
  const lines = [
    `In ${oneLine(step.name)}${place}`,
    step.run === undefined
      ? "Its files are as they were before it."
      : `Its files are as it left them. It ran: ${oneLine(step.run.argv.join(" "))}`,
    ...(missing.length === 0 ? [] : [`Without its secrets; they are given with ${missing.join(" ")}`]),
    "What you change here is thrown away when you leave.",
  ];
  return lines.map((line) => `${line}\n`).join("");
}
