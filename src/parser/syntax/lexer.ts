import moo from "moo";
import { lazily } from "../../util/lazily.ts";
import type { EscapeCharacter } from "../ast.ts";
import { isAsciiBlank, UNICODE_SPACE } from "../text/space.ts";

/*
 * The moo lexers. They work on one logical line each: what lies above it (joining lines, comments, directives, heredoc
 * bodies) depends on the escape directive and on words found on the way, which a lexer of regular expressions can't
 * know; line-reader.ts and read-file.ts do that.
 *
 * No rule repeats an alternation: such a pattern needs stack for every repetition, and lines can be megabytes long.
 */

/** moo's lexers can be cloned; its type declarations leave that out. */
interface CloneableLexer extends moo.Lexer {
  readonly clone: () => moo.Lexer;
}

function cloneable(lexer: moo.Lexer): CloneableLexer {
  return lexer as CloneableLexer;
}

/**
 * The pieces of ENV, LABEL and ARG words: quotes and escapes keep blanks inside a word, and stay in it. An escape
 * does so in double quotes and outside, never in single quotes; one at the very end of the line is dropped.
 */
function pieceLexer(escapeChar: EscapeCharacter): CloneableLexer {
  const mark = `\\${escapeChar}`;
  const escaped = { match: new RegExp(`${mark}[^]`), lineBreaks: true };
  const dangling = { match: new RegExp(mark) };
  return cloneable(
    moo.states({
      main: {
        blank: { match: new RegExp(`[${UNICODE_SPACE}]+`), lineBreaks: true },
        escaped,
        dangling,
        single: { match: "'", push: "single" },
        double: { match: '"', push: "double" },
        plain: { match: new RegExp(`[^${UNICODE_SPACE}${mark}'"]+`) },
      },
      single: {
        endQuote: { match: "'", pop: 1 },
        quoted: { match: /[^']+/, lineBreaks: true },
      },
      double: {
        escaped,
        dangling,
        endQuote: { match: '"', pop: 1 },
        quoted: { match: new RegExp(`[^"${mark}]+`), lineBreaks: true },
      },
    }),
  );
}

const backslashPieces = lazily(() => pieceLexer("\\"));
const backtickPieces = lazily(() => pieceLexer("`"));

/** A word with its offsets in the text it was found in. */
export interface LexedWord {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** Splits at ASCII blanks, quotes being ordinary characters: FROM, EXPOSE, COPY … (no lexer is needed for that). */
export function lexBlankWords(text: string): LexedWord[] {
  const words: LexedWord[] = [];
  let start = -1;
  for (let at = 0; at <= text.length; at++) {
    const isWord = at < text.length && !isAsciiBlank(text.charCodeAt(at));
    if (isWord === start >= 0) continue;
    if (start >= 0) words.push({ value: text.slice(start, at), start, end: at });
    start = isWord ? at : -1;
  }
  return words;
}

/** Splits at Unicode blanks outside of quotes; quotes and escapes stay in the words. */
export function lexQuotedWords(text: string, escapeChar: EscapeCharacter): LexedWord[] {
  // Most lists of words have nothing that a lexer would be needed for: letters, and spaces between words.
  if (/^[!#-&(-[\]^_a-~ ]*$/.test(text)) return lexBlankWords(text);
  const words: LexedWord[] = [];
  // A clone shares the compiled patterns; the template itself is never advanced.
  const lexer = (escapeChar === "\\" ? backslashPieces() : backtickPieces()).clone().reset(text);
  let value = "";
  let start = -1;
  let end = 0;
  const finish = (): void => {
    if (start !== -1 && value !== "") words.push({ value, start, end });
    value = "";
    start = -1;
  };
  for (let token = lexer.next(); token !== undefined; token = lexer.next()) {
    if (token.type === "blank") {
      finish();
      continue;
    }
    if (start === -1) start = token.offset;
    if (token.type !== "dangling") value += token.value;
    end = token.offset + token.text.length;
  }
  finish();
  return words;
}

/** What stands between an instruction's tokens. */
export type TriviaKind =
  | "blank"
  /** An escape character with the line ending that it takes away. */
  | "continuation"
  | "line-end"
  /** A comment line or an empty one between continued lines. */
  | "comment"
  | "empty-line"
  /** What no token keeps: the `--` that ends flags, an escape with nothing behind it. */
  | "dropped";

const INLINE_SPACE = UNICODE_SPACE.replace("\\n", "");

function triviaLexer(escapeChar: EscapeCharacter): CloneableLexer {
  const anywhere = {
    continuation: { match: new RegExp(`\\${escapeChar}[ \\t]*\\r*\\n`), lineBreaks: true, next: "lineStart" },
    "line-end": { match: /\r*\n/, lineBreaks: true, next: "lineStart" },
    blank: { match: new RegExp(`[${INLINE_SPACE}]+?(?=\\r*\\n)|[${INLINE_SPACE}]+`), next: "main" },
    dropped: { match: /[\s\S]/, lineBreaks: true, next: "main" },
  };
  const lineStart = {
    comment: { match: new RegExp(`[${INLINE_SPACE}]*#[^\\n]*\\n?`), lineBreaks: true },
    "empty-line": { match: new RegExp(`[${INLINE_SPACE}]*\\n`), lineBreaks: true },
  };
  return cloneable(moo.states({ main: anywhere, lineStart: { ...lineStart, ...anywhere } }));
}

const backslashTrivia = lazily(() => triviaLexer("\\"));
const backtickTrivia = lazily(() => triviaLexer("`"));

export interface LexedTrivia {
  readonly kind: TriviaKind;
  readonly text: string;
}

/** Takes apart a stretch between two tokens of an instruction. */
export function lexTrivia(text: string, escapeChar: EscapeCharacter): LexedTrivia[] {
  const lexer = (escapeChar === "\\" ? backslashTrivia() : backtickTrivia()).clone().reset(text);
  return Array.from(lexer, (token) => ({ kind: token.type as TriviaKind, text: token.text }));
}
