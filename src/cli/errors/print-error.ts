import { StrakeError } from "../../errors.ts";
import type { SourceSpan } from "../../util/span.ts";
import type { CommandContext } from "../command.ts";
import type { Settings } from "../environment.ts";
import { createPaint } from "../paint.ts";
import { sanitize } from "../text.ts";
import { describeCauses } from "./causes.ts";
import { sourceExcerpt } from "./source-excerpt.ts";

/** What is needed of a command's surroundings to tell an error. */
export interface ErrorContext extends Pick<CommandContext, "stderr" | "cwd" | "sources"> {
  readonly settings: Pick<Settings, "debug" | "noColor">;
}

/**
 * Says on standard error what went wrong: the message, the lines of the Dockerfile that it is about, its causes in a
 * line each, and what can be done. A stack only for a fault of strake's own, and only when debugging.
 */
export async function printError(error: unknown, context: ErrorContext): Promise<void> {
  const { stderr, settings } = context;
  const paint = createPaint(stderr, settings);
  const line = (text: string): void => stderr.write(`${text}\n`);

  if (error instanceof AggregateError && error.errors.length > 0) {
    for (const each of error.errors) await printError(each, context);
    return;
  }
  if (!isExpected(error)) {
    line(`${paint.red("error:")} strake has failed in a way that it should not: ${sanitize(String(error))}`);
    line("Sorry. Please report it with what you ran; STRAKE_DEBUG=1 shows where it happened");
    if (settings.debug && error instanceof Error) line(await stackOf(error));
    return;
  }
  line(`${paint.red("error:")} ${sanitize(error.message)}`);
  for (const cause of describeCauses(error)) line(`  ${paint.dim("caused by:")} ${sanitize(cause)}`);
  const at = placeOf(error);
  if (at !== undefined) stderr.write(await describePlace(at, context, paint.red));
  const hint = error instanceof StrakeError ? error.hint : undefined;
  if (hint !== undefined) line(`${paint.cyan("hint:")} ${sanitize(hint)}`);
  if (settings.debug) line(paint.dim(await stackOf(error)));
}

async function stackOf({ stack = "" }: Error): Promise<string> {
  const { readableStack } = await import("./readable-stack.ts");
  return sanitize(await readableStack(stack));
}

/** Errors whose message is meant for the reader: our own, and those of the operating system. */
function isExpected(error: unknown): error is Error {
  if (error instanceof StrakeError) return true;
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).errno === "number";
}

/** The place in a Dockerfile, which may be known only by an error further down. */
function placeOf(error: unknown): SourceSpan | undefined {
  let current: unknown = error;
  while (current instanceof Error) {
    if (current instanceof StrakeError && current.at !== undefined) return current.at;
    current = current.cause;
  }
  return undefined;
}

async function describePlace(
  at: SourceSpan,
  context: ErrorContext,
  mark: (text: string) => string,
): Promise<string> {
  const text = context.sources.get(at.file) ?? (await readSource(at.file, context.cwd));
  return `${sanitize(at.file)}:${at.startLine}\n${text === undefined ? "" : sourceExcerpt(text, at, mark)}`;
}

/** The file as it was named on the command line; undefined where it is none here (a Dockerfile of a remote context). */
async function readSource(file: string, cwd: string): Promise<string | undefined> {
  const [{ readFile }, { resolve }] = await Promise.all([import("node:fs/promises"), import("node:path")]);
  try {
    return await readFile(resolve(cwd, file), "utf8");
  } catch {
    // The place alone still says enough, and a second error about it would only hide the first.
    return undefined;
  }
}
