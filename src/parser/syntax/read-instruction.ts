import type { EscapeCharacter, InstructionNode, Token } from "../ast.ts";
import { DockerfileError } from "../error.ts";
import type { Range } from "../source.ts";
import { toLowerSimple } from "../text/case.ts";
import { isAsciiBlank, skipSpace, trimEndOffset } from "../text/space.ts";
import { scanFlags } from "./flags.ts";
import { KEYWORDS } from "./keywords.ts";
import type { LogicalLine } from "./logical-line.ts";
import { ArgumentFailure, type Arguments, readArguments } from "./read-arguments.ts";

/** An instruction without what only the file knows: its extent, comments and heredocs. */
export type BareInstruction = Omit<
  InstructionNode,
  "kind" | "extent" | "comments" | "heredocs" | "trigger"
> & {
  readonly trigger: BareInstruction | undefined;
  readonly canHoldHeredocs: boolean;
};

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

/**
 * Reads a logical line as an instruction, ONBUILD's trigger and that one's trigger included. A keyword nobody knows is no
 * error yet.
 * @throws {DockerfileError} BAD_JSON_FORM, BAD_KEY_VALUE
 */
export function readInstruction(line: LogicalLine, escapeChar: EscapeCharacter): BareInstruction {
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
  let result: BareInstruction | undefined;
  for (const level of levels.reverse()) result = finish(line, level, result, escapeChar);
  // A line may begin with nothing but a continuation: the instruction begins there, its keyword later.
  const { range, ...outermost } = result as BareInstruction;
  return { ...outermost, range: { start: line.whole.start, end: range.end } };
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
  const flags = scanned.flags.map((flag) => ({
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
  trigger: BareInstruction | undefined,
  escapeChar: EscapeCharacter,
): BareInstruction {
  const { name, keyword, flags, restAt } = level;
  const known = KEYWORDS.get(name);
  const inner = name === "onbuild" ? trigger : undefined;
  const read = inner === undefined ? readLevelArguments(line, level, escapeChar) : triggerArguments(inner);
  const keywordToken: Token = {
    type: known?.terminal ?? "unknown",
    value: keyword,
    range: line.range(level.at, level.at + keyword.length),
  };
  const end =
    level.rest === ""
      ? (flags.at(-1)?.range.end ?? keywordToken.range.end)
      : line.range(restAt, restAt + level.rest.length).end;
  return {
    range: { start: keywordToken.range.start, end },
    startLine: line.startLine,
    endLine: line.endLine,
    name,
    keyword,
    original: level.text,
    flags: flags.map(({ value }) => value),
    json: read.json,
    args: read.args,
    trigger: inner,
    tokens: [keywordToken, ...flags, ...read.tokens],
    canHoldHeredocs: holdsHeredocs(level.name, read, inner),
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
function triggerArguments(trigger: BareInstruction): Arguments {
  return {
    tokens: [{ type: "trigger", value: trigger.original, range: trigger.range }],
    args: [],
    json: false,
  };
}

/** ONBUILD of an instruction with heredocs can hold them too; ONBUILD ONBUILD can't. */
function holdsHeredocs(name: string, read: Arguments, trigger: BareInstruction | undefined): boolean {
  if (trigger !== undefined) return trigger.name !== "onbuild" && trigger.canHoldHeredocs;
  return (KEYWORDS.get(name)?.heredocs ?? false) && !read.json;
}
