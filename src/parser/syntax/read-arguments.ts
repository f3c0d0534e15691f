import type { EscapeCharacter, Token } from "../ast.ts";
import type { DockerfileErrorCode } from "../error.ts";
import type { Range } from "../source.ts";
import { equalsFold, toUpperSimple } from "../text/case.ts";
import { isAsciiBlank, isSpace, skipSpace } from "../text/space.ts";
import { fromByteString, toByteString, toWellFormed } from "../text/utf8.ts";
import { readJsonForm } from "./json-form.ts";
import type { Keyword } from "./keywords.ts";
import { type LexedWord, lexBlankWords, lexQuotedWords } from "./lexer.ts";

/** An instruction's arguments as tokens and, as BuildKit lists them, as words. */
export interface Arguments {
  readonly tokens: readonly Token[];
  readonly args: readonly string[];
  readonly json: boolean;
}

/** Why a text can't be the arguments of its instruction; offsets are in that text. */
export interface ArgumentProblem {
  readonly code: DockerfileErrorCode;
  readonly reason: string;
  readonly hint: string;
  readonly start: number;
  readonly end: number;
}

/** Makes source ranges of offsets in the argument text. */
export type ToRange = (start: number, end: number) => Range;

interface Reading {
  readonly text: string;
  readonly escape: EscapeCharacter;
  readonly toRange: ToRange;
}

const NOTHING: Arguments = { tokens: [], args: [], json: false };

/**
 * Cuts the argument text (trimmed, without flags) of every instruction but ONBUILD into tokens.
 * @throws {ArgumentFailure} for what is wrong already at this level
 */
export function readArguments(keyword: Keyword, reading: Reading): Arguments {
  switch (keyword.form) {
    case "words":
      return keyword.terminal === "FROM" ? markAs(readWords(reading)) : readWords(reading);
    case "json-or-words":
      return readJson(reading) ?? readWords(reading);
    case "json-or-text":
      return readJson(reading) ?? readText(reading);
    case "text":
      return readText(reading);
    case "settings":
      return readSettings(reading, keyword.terminal);
    case "definitions":
      return readDefinitions(reading);
    case "check":
      return readCheck(reading);
    case "trigger":
      throw new TypeError("ONBUILD is read by read-instruction.ts");
    default:
      return keyword.form satisfies never;
  }
}

/** Leaves this level with a problem; read-instruction.ts gives it its place. */
export class ArgumentFailure extends Error {
  readonly problem: ArgumentProblem;

  constructor(problem: ArgumentProblem) {
    super(problem.reason);
    this.problem = problem;
  }
}

function readWords({ text, toRange }: Reading): Arguments {
  const words = lexBlankWords(text);
  return {
    tokens: words.map(({ value, start, end }) => ({ type: "word", value, range: toRange(start, end) })),
    args: words.map(({ value }) => value),
    json: false,
  };
}

/** The word AS is a keyword in FROM, wherever it stands; the grammar knows where it may stand for a name. */
function markAs(read: Arguments): Arguments {
  return {
    ...read,
    tokens: read.tokens.map((token) => (equalsFold(token.value, "as") ? { ...token, type: "AS" } : token)),
  };
}

function readText({ text, toRange }: Reading): Arguments {
  if (text === "") return NOTHING;
  const token = { type: "text", value: text, range: toRange(0, text.length) };
  return { tokens: [token], args: [text], json: false };
}

function readJson({ text, toRange }: Reading): Arguments | undefined {
  const form = readJsonForm(text);
  if (form.kind === "none") return undefined;
  if (form.kind === "other") {
    throw new ArgumentFailure({
      code: "BAD_JSON_FORM",
      reason: "when using JSON array syntax, arrays must be comprised of strings only",
      hint: 'Put every element into double quotes, numbers too: ["sleep", "1"]',
      start: 0,
      end: text.length,
    });
  }
  const tokens = form.tokens.map(({ type, value, start, end }) => ({
    type,
    value,
    range: toRange(start, end),
  }));
  return { tokens, args: form.values, json: true };
}

/** ENV and LABEL: the first word tells which form it is, by having a `=` or not. */
function readSettings(reading: Reading, instruction: string): Arguments {
  const words = lexQuotedWords(reading.text, reading.escape);
  const [first] = words;
  if (first === undefined) return NOTHING;
  if (!first.value.includes("=")) return readLegacySetting(reading, instruction);
  const tokens: Token[] = [];
  const args: string[] = [];
  for (const word of words) {
    const pair = splitPair(word, reading);
    if (pair === undefined) throw noEquals(word, tokens.at(-1)?.value);
    tokens.push(pair);
    args.push(pair.pair.key.text, pair.pair.value.text, "=");
  }
  return { tokens, args, json: false };
}

function readLegacySetting({ text, toRange }: Reading, instruction: string): Arguments {
  let keyEnd = 0;
  while (keyEnd < text.length && !isAsciiBlank(text.charCodeAt(keyEnd))) keyEnd++;
  if (keyEnd === text.length) {
    throw new ArgumentFailure({
      code: "BAD_KEY_VALUE",
      reason: `${instruction} must have two arguments`,
      hint: `Write ${instruction} ${text.length > 40 ? "NAME" : text}=VALUE; ${text.length > 40 ? "NAME" : text}="" for an empty value`,
      start: 0,
      end: text.length,
    });
  }
  let valueStart = keyEnd;
  while (isAsciiBlank(text.charCodeAt(valueStart))) valueStart++;
  const key = text.slice(0, keyEnd);
  const value = text.slice(valueStart);
  return {
    tokens: [
      { type: "name", value: key, range: toRange(0, keyEnd) },
      { type: "text", value, range: toRange(valueStart, text.length) },
    ],
    args: [key, value, ""],
    json: false,
  };
}

function splitPair(
  word: LexedWord,
  { toRange }: Reading,
): (Token & { pair: NonNullable<Token["pair"]> }) | undefined {
  const value = toWellFormed(word.value);
  const equals = value.indexOf("=");
  if (equals === -1) return undefined;
  const middle = word.start + equals;
  return {
    type: "pair",
    value,
    range: toRange(word.start, word.end),
    pair: {
      key: { text: value.slice(0, equals), range: toRange(word.start, middle) },
      value: { text: value.slice(equals + 1), range: toRange(middle + 1, word.end) },
    },
  };
}

/** @param before the pair in front of it, if there is one: most often the word belongs to its value */
function noEquals(word: LexedWord, before: string | undefined): ArgumentFailure {
  const isShort =
    before !== undefined && !/["'\\]/.test(before + word.value) && before.length + word.value.length < 60;
  const quoted = isShort ? `${before.replace("=", '="')} ${word.value}"` : 'name="two words"';
  return new ArgumentFailure({
    code: "BAD_KEY_VALUE",
    reason: `Syntax error - can't find = in ${JSON.stringify(word.value)}. Must be of the form: name=value`,
    hint: `A value with blanks needs quotes, as in ${quoted}; no blanks may stand around =`,
    start: word.start,
    end: word.end,
  });
}

function readDefinitions(reading: Reading): Arguments {
  const tokens = lexQuotedWords(reading.text, reading.escape).map((word) => ({
    ...(splitPair(word, reading) ?? {
      value: toWellFormed(word.value),
      range: reading.toRange(word.start, word.end),
    }),
    type: "definition",
  }));
  return { tokens, args: tokens.map(({ value }) => value), json: false };
}

function readCheck({ text, escape: escapeChar, toRange }: Reading): Arguments {
  const { word, rest } = firstCheckWord(text);
  if (word === "") return NOTHING;
  const upper = toUpperSimple(word);
  const type = upper === "CMD" || upper === "NONE" ? upper : "word";
  const from = text.length - rest.length;
  const inner: Reading = {
    text: rest,
    escape: escapeChar,
    toRange: (start, end) => toRange(from + start, from + end),
  };
  const command = readJson(inner) ?? readText(inner);
  return {
    tokens: [{ type, value: word, range: toRange(0, Math.min(word.length, from)) }, ...command.tokens],
    args: [word, ...command.args],
    json: command.json,
  };
}

/**
 * HEALTHCHECK's first word and what follows it. Like flags it is read byte by byte: a byte 0x85 or 0xA0 inside of a
 * letter counts as a blank.
 */
function firstCheckWord(text: string): { word: string; rest: string } {
  let end = 0;
  while (end < text.length && !isSpace(text.charCodeAt(end)) && text.charCodeAt(end) < 0x80) end++;
  if (end === text.length || text.charCodeAt(end) < 0x80) {
    let rest = end;
    while (rest < text.length && text.charCodeAt(rest) < 0x80 && isSpace(text.charCodeAt(rest))) rest++;
    const next = text.charCodeAt(rest);
    if (next !== 0xdc85 && next !== 0xdca0) return { word: text.slice(0, end), rest: text.slice(rest) };
  }
  const bytes = toByteString(text);
  let cut = 0;
  while (cut < bytes.length && !isSpace(bytes.charCodeAt(cut))) cut++;
  return {
    word: fromByteString(bytes.slice(0, cut)),
    rest: fromByteString(bytes.slice(skipSpace(bytes, cut))),
  };
}
