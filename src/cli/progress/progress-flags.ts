import type { OptionTable } from "../args/option-table.ts";
import type { Settings } from "../environment.ts";
import { type ProgressKind, parseProgressKind } from "./create-view.ts";

/** What `--progress` is, for the table of a command that has it. */
export const PROGRESS_FLAG = {
  type: "string",
  value: "KIND",
  default: "$STRAKE_PROGRESS, else auto",
  summary: "auto, plain, tty, rawjson or quiet",
} as const satisfies OptionTable[string];

/** The flags of every command that moves images. */
export const PROGRESS_FLAGS = {
  quiet: { type: "boolean", short: "q", summary: "Show no progress" },
  progress: PROGRESS_FLAG,
} as const satisfies OptionTable;

/** The kind of progress that `--quiet`, `--progress` and the environment ask for. @throws {CliError} USAGE */
export function progressKind(
  { quiet, progress }: { readonly quiet: boolean; readonly progress: string | undefined },
  settings: Pick<Settings, "progress">,
): ProgressKind {
  return quiet ? "quiet" : parseProgressKind(progress, settings.progress);
}
