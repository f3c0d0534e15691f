import { usageError } from "../error.ts";
import type { ProgressView, ViewContext } from "./view.ts";

const KINDS = ["auto", "plain", "tty", "rawjson", "quiet"] as const;

export type ProgressKind = (typeof KINDS)[number];

/**
 * Reads a kind of progress: what a flag says, else what the environment says, else `auto`.
 * @throws {CliError} USAGE
 */
export function parseProgressKind(flag: string | undefined, fallback: string | undefined): ProgressKind {
  const text = flag ?? fallback ?? "auto";
  const kind = KINDS.find((candidate) => candidate === text);
  if (kind !== undefined) return kind;
  const where = flag === undefined ? "$STRAKE_PROGRESS" : "--progress";
  throw usageError(`Unknown kind of progress "${text}" in ${where}`, `Kinds are ${KINDS.join(", ")}`);
}

/** A view of that kind; `auto` draws on a terminal and writes lines elsewhere. Only the code of that view is loaded. */
export async function createView(kind: ProgressKind, context: ViewContext): Promise<ProgressView> {
  switch (kind) {
    case "auto":
      return createView(context.output.isTTY && !context.settings.dumbTerminal ? "tty" : "plain", context);
    case "tty":
      return (await import("./tty-view.ts")).createTtyView(context);
    case "plain":
      return (await import("./plain-view.ts")).createPlainView(context);
    case "rawjson":
      return (await import("./raw-json-view.ts")).createRawJsonView(context);
    case "quiet":
      return (await import("./quiet-view.ts")).createQuietView(context);
    default:
      return kind satisfies never;
  }
}
