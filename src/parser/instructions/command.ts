import type { HeredocNode } from "../ast.ts";
import type { Reading } from "./reading.ts";

/** A heredoc of a RUN: a file for its shell. */
export interface InlineFile {
  readonly name: string;
  /** The body as written, leading tabs included. */
  readonly data: string;
  /** `<<-`: leading tabs are no part of the body. */
  readonly chomp: boolean;
}

/** A command of RUN, CMD or ENTRYPOINT. */
export interface CommandForm {
  /** Exec form: the words. Shell form: one text for the shell, or nothing at all. */
  readonly argv: readonly string[];
  readonly isShellForm: boolean;
}

export function readCommand(reading: Reading): CommandForm {
  if (reading.node.json) return { argv: reading.texts("argv"), isShellForm: false };
  return { argv: reading.texts("text"), isShellForm: true };
}

export function inlineFiles(heredocs: readonly HeredocNode[]): readonly InlineFile[] {
  return heredocs.map(({ name, content, chomp }) => ({ name, data: content, chomp }));
}
