import type { EscapeCharacter } from "../ast.ts";
import { isAscii } from "../text/case.ts";
import { isSpace } from "../text/space.ts";
import { fromByteString, toByteString } from "../text/utf8.ts";

export interface ScannedFlag {
  /** Without quotes and escapes. */
  readonly value: string;
  /** Offsets in the scanned text. */
  readonly start: number;
  readonly end: number;
}

export interface FlagScan {
  readonly flags: readonly ScannedFlag[];
  /** What comes after the flags; a suffix of the text, but for a character that a flag cut in two. */
  readonly rest: string;
}

const NONE: readonly never[] = [];

/** Bytes 0x85 and 0xA0 that belong to no letter, as text/utf8.ts keeps them. */
const BLANK_BYTES: ReadonlySet<string> = new Set(["\udc85", "\udca0"]);

/**
 * Takes the `--name=value` words off the front of an instruction's arguments. A word `--` ends them and is
 * dropped.
 *
 * BuildKit does this byte by byte, taking each byte for a character: a byte 0x85 or 0xA0 inside of a letter ends the
 * flag, and `é` in a value becomes two characters. So a text with other than ASCII in its flags is scanned as bytes.
 */
export function scanFlags(text: string, escapeChar: EscapeCharacter): FlagScan {
  if (!text.startsWith("--") && !BLANK_BYTES.has(text.charAt(0))) return { flags: NONE, rest: text };
  const found = scan(text, escapeChar);
  // Also the character that ended the last flag has to be ASCII for it to be the end.
  if (isAscii(text.slice(0, found.end + 1))) return { flags: found.flags, rest: text.slice(found.end) };

  const bytes = toByteString(text);
  const exact = scan(bytes, escapeChar);
  const offsets = unitOffsets(text, exact.end);
  const flags = exact.flags.map((flag) => ({
    value: flag.value,
    start: offsets(flag.start),
    end: offsets(flag.end),
  }));
  return { flags, rest: fromByteString(bytes.slice(exact.end)) };
}

function scan(text: string, escapeChar: EscapeCharacter): { flags: ScannedFlag[]; end: number } {
  const flags: ScannedFlag[] = [];
  let at = 0;
  while (at < text.length) {
    if (isSpace(text.charCodeAt(at))) {
      at++;
      continue;
    }
    if (!text.startsWith("--", at)) return { flags, end: at };
    const word = scanWord(text, at, escapeChar);
    if (word.value === "--") return { flags, end: word.end };
    flags.push({ value: word.value, start: at, end: word.end });
    at = word.end;
  }
  return { flags, end: at };
}

function scanWord(text: string, start: number, escapeChar: EscapeCharacter): { value: string; end: number } {
  let value = "";
  let quote = "";
  let at = start;
  for (; at < text.length; at++) {
    let char = text.charAt(at);
    if (quote === "" ? isSpace(char.charCodeAt(0)) : false) break;
    if (quote === "" ? char === "'" || char === '"' : char === quote) {
      quote = quote === "" ? char : "";
      continue;
    }
    if (char === escapeChar) {
      at++;
      if (at === text.length) break;
      char = text.charAt(at);
    }
    value += char;
  }
  return { value, end: at };
}

/** Maps byte offsets up to `limit` to UTF-16 offsets; the middle of a character to its start. */
function unitOffsets(text: string, limit: number): (byte: number) => number {
  const starts: number[] = [];
  let units = 0;
  for (const char of text) {
    if (starts.length > limit) break;
    const bytes = toByteString(char).length;
    for (let i = 0; i < bytes; i++) starts.push(units);
    units += char.length;
  }
  return (byte) => starts[byte] ?? units;
}
