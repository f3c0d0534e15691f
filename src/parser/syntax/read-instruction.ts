import type { EscapeCharacter, InstructionNode, Token } from "../ast.ts";
import { DockerfileError } from "../error.ts";
import type { Range } from "../source.ts";
import { toLowerSimple } from "../text/case.ts";
import { isAsciiBlank, skipSpace, trimEndOffset } from "../text/space.ts";
import { scanFlags } from "./flags.ts";
import { KEYWORDS } from "./keywords.ts";
import type { LogicalLine } from "./logical-line.ts";
import { ArgumentFailure, type Arguments, readArguments } from "./read-arguments.ts";

/**
 * An instruction while the file reader fills in what only it knows: extent, last line, comments and heredocs. It is
 * changed in place, and never again once it is handed out: copies of every node were a third of all parsing time.
 */
export type DraftNode = { -readonly [K in keyof InstructionNode]: InstructionNode[K] } & {
  trigger: DraftNode | undefined;
};

export interface ReadInstruction {
  readonly node: DraftNode;
  readonly canHoldHeredocs: boolean;
}

/** One level of a line: an instruction's own text, or that of a trigger inside it. */
interface Level {
  readonly text: string;
  /** Offset of `text` in the logical line. */
  readonly at: number;
  readonly keyword: string;
  readonly name: string;
  readonly flags: readonly Token[];
  /** The argument text, trimmed, and its offset in the logical line. */
  readonly rest: string;
  readonly restAt: number;
}

const NONE: readonly never[] = [];
/** Until the file reader knows better. */
const UNKNOWN: Range = { start: 0, end: 0 };

/**
 * Reads a logical line as an instruction, ONBUILD's trigger and that one's trigger included. A keyword nobody knows is no
 * error yet.
 * @throws {DockerfileError} BAD_JSON_FORM, BAD_KEY_VALUE
 */
export function readInstruction(line: LogicalLine, escapeChar: EscapeCharacter): ReadInstruction {
  const levels: Level[] = [];
  let text = line.text;
  let at = 0;
  // A loop, not recursion: a line can hold more ONBUILDs than a stack has room for.
  for (;;) {
    const level = readLevel(line, text, at, escapeChar);
    levels.push(level);
    if (level.name !== "onbuild" || level.rest === "") break;
    text = level.rest;
    at = level.restAt;
  }
  let node: DraftNode | undefined;
  let canHoldHeredocs = false;
  for (const level of levels.reverse()) {
    // ONBUILD of an instruction with heredocs can hold them too; ONBUILD ONBUILD can't.
    if (node !== undefined) canHoldHeredocs &&= node.name !== "onbuild";
    const finished: DraftNode = finish(line, level, node, escapeChar);
    if (node === undefined) canHoldHeredocs = (KEYWORDS.get(level.name)?.heredocs ?? false) && !finished.json;
    node = finished;
  }
  if (node === undefined) throw new Error("Invariant broken: a line has at least one level");
  // A line may begin with nothing but a continuation: the instruction begins there, its keyword later.
  if (line.start !== node.range.start) node.range = { start: line.start, end: node.range.end };
  return { node, canHoldHeredocs };
}

function readLevel(line: LogicalLine, text: string, at: number, escapeChar: EscapeCharacter): Level {
  const start = skipSpace(text);
  const end = trimEndOffset(text, start);
  let keywordEnd = start;
  while (keywordEnd < end && !isAsciiBlank(text.charCodeAt(keywordEnd))) keywordEnd++;
  let argumentsAt = keywordEnd;
  while (argumentsAt < end && isAsciiBlank(text.charCodeAt(argumentsAt))) argumentsAt++;
  const keyword = text.slice(start, keywordEnd);
  const scanned = scanFlags(text.slice(argumentsAt, end), escapeChar);
  const flags =
    scanned.flags.length === 0
      ? NONE
      : scanned.flags.map((flag) => ({
          type: "flag",
          value: flag.value,
          range: line.range(at + argumentsAt + flag.start, at + argumentsAt + flag.end),
        }));
  const restStart = skipSpace(scanned.rest);
  const rest = scanned.rest.slice(restStart, trimEndOffset(scanned.rest, restStart));
  // Counted from the end, because a flag that ends inside of a character shifts the beginning.
  const restAt = at + end - (scanned.rest.length - restStart);
  return { text, at: at + start, keyword, name: toLowerSimple(keyword), flags, rest, restAt };
}

function finish(
  line: LogicalLine,
  level: Level,
  trigger: DraftNode | undefined,
  escapeChar: EscapeCharacter,
): DraftNode {
  const { name, keyword, flags, restAt } = level;
  const known = KEYWORDS.get(name);
  const read =
    trigger === undefined ? readLevelArguments(line, level, escapeChar) : triggerArguments(trigger);
  const keywordToken: Token = {
    type: known?.terminal ?? "unknown",
    value: keyword,
    range: line.range(level.at, level.at + keyword.length),
  };
  const end =
    level.rest === ""
      ? (flags.at(-1)?.range.end ?? keywordToken.range.end)
      : line.range(restAt, restAt + level.rest.length).end;
  const range = { start: keywordToken.range.start, end };
  return {
    kind: "instruction",
    extent: UNKNOWN,
    range,
    startLine: line.startLine,
    endLine: line.endLine,
    name,
    keyword,
    original: level.text,
    flags: flags.length === 0 ? NONE : flags.map(({ value }) => value),
    json: read.json,
    args: read.args,
    trigger,
    heredocs: NONE,
    comments: NONE,
    tokens: [keywordToken].concat(flags, read.tokens),
  };
}

function readLevelArguments(line: LogicalLine, level: Level, escapeChar: EscapeCharacter): Arguments {
  const { rest, restAt } = level;
  const known = KEYWORDS.get(level.name);
  const toRange = (start: number, end: number): Range => line.range(restAt + start, restAt + end);
  if (known === undefined) {
    const tokens = rest === "" ? [] : [{ type: "text", value: rest, range: toRange(0, rest.length) }];
    return { tokens, args: [""], json: false };
  }
  // ONBUILD with nothing behind it.
  if (known.form === "trigger") return { tokens: [], args: [], json: false };
  try {
    return readArguments(known, { text: rest, escape: escapeChar, toRange });
  } catch (error) {
    if (!(error instanceof ArgumentFailure)) throw error;
    const { code, reason, hint, start, end } = error.problem;
    const { source } = line;
    throw new DockerfileError(code, reason, {
      hint,
      at: source.span(line.whole),
      focus: source.span(toRange(start, end)),
    });
  }
}

/** BuildKit lists no argument words for ONBUILD: all it has is the instruction inside. */
function triggerArguments(trigger: DraftNode): Arguments {
  return {
    tokens: [{ type: "trigger", value: trigger.original, range: trigger.range }],
    args: [],
    json: false,
  };
}
