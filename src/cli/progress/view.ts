import type { OnEvent } from "../../builder/events.ts";
import type { Settings } from "../environment.ts";
import type { Output } from "../output.ts";

/** One way of showing what goes on. */
export interface ProgressView {
  readonly onEvent: OnEvent;
  /** Leaves the final state behind and stops all drawing. Further events are ignored; a second call does nothing. */
  close(): void;
}

export interface ViewContext {
  /** Standard error. */
  readonly output: Output;
  /** The clock that events' times are of. */
  readonly nowMs: () => number;
  readonly settings: Pick<Settings, "noColor" | "dumbTerminal">;
  /** What is being done: `Building`. */
  readonly verb: string;
  /** The command that shows all that a step has written; undefined where it is not kept. */
  readonly logCommand: (stepNumber: number) => string | undefined;
  /** Calls back every `intervalMs` until the returned function is called; never keeps the process alive. */
  readonly every: (intervalMs: number, callback: () => void) => () => void;
  /** Sees to it that the terminal is put right however the process ends or is suspended, until it is released. */
  readonly guardTerminal: (hooks: TerminalHooks) => () => void;
}

export interface TerminalHooks {
  /** Called when the process exits or is about to be suspended; must be synchronous. */
  readonly restore: () => void;
  /** Called when a suspended process goes on. */
  readonly resume: () => void;
}
