import type { Range } from "./source.ts";

/**
 * The first phase's tree: what stands where, before anything is known about what it means. Every character of the
 * source belongs to exactly one item, and within an instruction to exactly one leaf (see leaves.ts).
 */
export interface DockerfileAst {
  readonly kind: "file";
  readonly escape: EscapeCharacter;
  readonly items: readonly Item[];
}

/** What continues a line and escapes a character: a backslash unless `# escape=` says backtick. */
export type EscapeCharacter = "\\" | "`";

export type Item = ByteOrderMark | BlankLine | CommentLine | DirectiveLine | InstructionNode;

export interface ByteOrderMark {
  readonly kind: "bom";
  readonly extent: Range;
}

export interface BlankLine {
  readonly kind: "blank";
  /** The whole line with its line ending, as in all items. */
  readonly extent: Range;
}

export interface CommentLine {
  readonly kind: "comment";
  readonly extent: Range;
  /** The comment without its `#`, trimmed (with the `#` if the line is indented, as BuildKit keeps it). */
  readonly text: string;
}

/** `# name=value` at the top of the file. */
export interface DirectiveLine {
  readonly kind: "directive";
  readonly extent: Range;
  readonly range: Range;
  readonly line: number;
  /** Lower case: `syntax`, `escape` or `check`. */
  readonly name: string;
  readonly value: string;
}

export interface InstructionNode {
  readonly kind: "instruction";
  /** Its lines, line endings and heredocs included. */
  readonly extent: Range;
  /** From the keyword to the last character of its (last) logical line, heredocs excluded. */
  readonly range: Range;
  readonly startLine: number;
  /** The last line, heredocs included. */
  readonly endLine: number;
  /** The keyword in lower case. */
  readonly name: string;
  /** The keyword as written. */
  readonly keyword: string;
  /** The logical line: continuations joined, comment lines dropped. */
  readonly original: string;
  /** Each flag as written but for quotes and escapes: `--from=build`. */
  readonly flags: readonly string[];
  /** True for the exec form: the arguments are a JSON array of strings. */
  readonly json: boolean;
  /** The argument words; ENV and LABEL have three per pair: key, value, and `=` or nothing (legacy form). */
  readonly args: readonly string[];
  /** The instruction inside ONBUILD. */
  readonly trigger: InstructionNode | undefined;
  readonly heredocs: readonly HeredocNode[];
  /** The comments right above, directives excluded; blank lines do not separate, an empty comment does. */
  readonly comments: readonly string[];
  /** Keyword, flags and arguments in order, for the grammar and for messages. */
  readonly tokens: readonly Token[];
}

export interface HeredocNode {
  readonly kind: "heredoc";
  readonly name: string;
  /** The body as written; leading tabs are still there even for `<<-`. */
  readonly content: string;
  /** False if any part of the name was quoted: the body's variables stay as they are. */
  readonly expand: boolean;
  /** `<<-`: leading tabs do not count. */
  readonly chomp: boolean;
  readonly fd: number;
  readonly body: Range;
  readonly terminator: Range;
}

/** A terminal of the grammar. Instruction keywords have their own name in upper case as type. */
export interface Token {
  readonly type: string;
  /** The text with continuations joined; a JSON string's value. */
  readonly value: string;
  readonly range: Range;
  /** Of a `key=value` token: its two sides. */
  readonly pair?: { readonly key: TokenPart; readonly value: TokenPart };
}

export interface TokenPart {
  readonly text: string;
  readonly range: Range;
}
