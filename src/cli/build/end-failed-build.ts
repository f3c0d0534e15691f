import { BuildError, type BuildOptions } from "../../builder/index.ts";
import type { BuildRecorder } from "../../builder/records/index.ts";
import type { CommandContext } from "../command.ts";
import { printError } from "../errors/print-error.ts";
import { EXIT } from "../main.ts";
import { createPaint } from "../paint.ts";

/**
 * Tells why a build failed and how to see more of it, or opens a shell in the step that failed.
 * @param enter what the step may use in the shell; when absent none is opened
 * @returns the exit code
 */
export async function endFailedBuild(
  error: unknown,
  recorder: BuildRecorder,
  context: CommandContext,
  enter: Pick<BuildOptions, "secrets" | "ssh"> | undefined,
): Promise<number> {
  await printError(error, context);
  const { stderr, settings } = context;
  const paint = createPaint(stderr, settings);
  const say = (what: string, command: string): void => stderr.write(`${paint.cyan(what)} ${command}\n`);
  if (error instanceof BuildError && recorder.logBytes > 0) say("whole log:", `strake logs ${recorder.id}`);
  if (!recorder.hasFailedStep) return EXIT.failed;
  if (enter === undefined) {
    say("shell in the failed step:", `strake debug ${recorder.id}`);
    return EXIT.failed;
  }
  const { enterBuild } = await import("../builds/enter-build.ts");
  const { secrets, ssh } = enter;
  try {
    await enterBuild(recorder.id, { command: { kind: "shell" }, env: [], secrets, ssh }, context);
  } catch (cannotEnter) {
    context.signal.throwIfAborted();
    await printError(cannotEnter, context);
  }
  // However the shell was left: the build has failed.
  return EXIT.failed;
}
