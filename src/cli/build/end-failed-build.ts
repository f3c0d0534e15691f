import { BuildError } from "../../builder/index.ts";
import type { BuildRecorder } from "../../builder/records/index.ts";
import type { CommandContext } from "../command.ts";
import { printError } from "../errors/print-error.ts";
import { EXIT } from "../main.ts";
import { createPaint } from "../paint.ts";

/**
 * Tells why a build failed, and how to see more of it.
 * @returns the exit code
 */
export async function endFailedBuild(
  error: unknown,
  recorder: BuildRecorder,
  context: CommandContext,
): Promise<number> {
  await printError(error, context);
  const paint = createPaint(context.stderr, context.settings);
  if (error instanceof BuildError && recorder.logBytes > 0)
    context.stderr.write(`${paint.cyan("log:")} strake logs ${recorder.id}\n`);
  return EXIT.failed;
}
