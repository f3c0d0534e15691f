import type { OptionTable, ParsedOptions } from "./args/option-table.ts";
import type { Settings } from "./environment.ts";
import type { Output } from "./output.ts";

/** A command as the dispatcher and the list of commands know it; its code is loaded when it is called. */
export interface CommandEntry {
  /** As typed: `cache ls`. */
  readonly name: string;
  /** Heading in the list of commands. */
  readonly group: string;
  /** One line, sentence case, no final period. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** What a command has to work with; nothing else of the process is looked at. */
export interface CommandContext {
  readonly settings: Settings;
  /** Every command, in the order in which help lists them. */
  readonly commands: readonly CommandEntry[];
  /** How to run this very command line again, in a user namespace. */
  readonly restart: { readonly execPath: string; readonly argv: readonly string[] };
  /** Absolute path of the current folder. */
  readonly cwd: string;
  readonly stdin: AsyncIterable<Uint8Array> & {
    readonly isTTY: boolean;
    /** On a terminal: whether keys come as they are pressed, and without being shown. */
    readonly setRawMode?: (isRaw: boolean) => unknown;
  };
  /** Whether a person sits at standard input and output; asking does not open them. */
  readonly isInteractive: boolean;
  /** Results. */
  readonly stdout: Output;
  /** Progress and diagnostics. */
  readonly stderr: Output;
  /** Aborted by Ctrl-C and the like; the reason is an `Interruption`. */
  readonly signal: AbortSignal;
  /** Texts that errors may point into and that are no files: a Dockerfile that came on standard input. By shown name. */
  readonly sources: Map<string, string>;
  /** Wall clock: milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
}

export interface CommandSpec<T extends OptionTable> {
  /** What follows `strake NAME [OPTIONS]`: `IMAGE [IMAGE...]`. */
  readonly operands: string;
  /** How many positionals there may be. */
  readonly count: { readonly min: number; readonly max: number };
  /** Paragraphs below the usage line. */
  readonly details?: readonly string[];
  readonly options: T;
  readonly examples?: readonly Example[];
  /**
   * Whether this call unpacks layers or runs steps, which takes root's rights: an ordinary user's is then run again in
   * a user namespace.
   */
  readonly needsRoot?: (options: ParsedOptions<T>) => boolean;
  /** @returns the exit code; 0 when nothing is returned */
  run(
    invocation: {
      readonly options: ParsedOptions<T>;
      readonly positionals: readonly string[];
      /** How many of the positionals stood before `--`; undefined without one. */
      readonly beforeDashes: number | undefined;
    },
    context: CommandContext,
  ): Promise<number | undefined>;
}

export interface Example {
  readonly command: string;
  readonly summary: string;
}

/** A command with the types of its flags forgotten: what the dispatcher handles. */
export type Command = CommandSpec<OptionTable>;

/** Ties the type of a command's flags to its `run`. */
export function defineCommand<const T extends OptionTable>(spec: CommandSpec<T>): Command {
  // The parser fills `options` from this very table, so the narrower type holds whenever `run` is called.
  return spec as unknown as Command;
}
