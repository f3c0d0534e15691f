import { WordExpander } from "../expand/word-expander.ts";

/** What `<<NAME` promises; the body comes later. */
export interface HeredocOpener {
  readonly name: string;
  readonly expand: boolean;
  readonly chomp: boolean;
  readonly fd: number;
}

const OPENER = /^(\d*)<<(-?)[\t\n\f\r ]*([^<]*)$/;
const NOTHING = (): undefined => undefined;

/**
 * The heredocs that a line opens, in order. None if the line's quotes are unbalanced. The escape here is always a
 * backslash, whatever the file says.
 */
export function findHeredocs(line: string): readonly HeredocOpener[] {
  if (!line.includes("<<")) return [];
  const modes = {
    escape: "\\",
    skipUnset: true,
    keepQuotes: false,
    rawQuotes: true,
    rawEscapes: true,
  } as const;
  const { words } = new WordExpander(line, NOTHING, modes, true).run();
  return words.flatMap((word) => parseHeredocWord(word) ?? []);
}

/**
 * Reads `<<NAME`, `<<-NAME`, `<<"NAME"`, `3<<NAME`. Everything glued to the name belongs to it.
 * @returns undefined if the word opens no heredoc
 */
export function parseHeredocWord(word: string): HeredocOpener | undefined {
  const match = OPENER.exec(word);
  const rest = match?.[3] ?? "";
  if (match === null || rest === "") return undefined;
  const [name, ...others] = wordsOf(rest, false);
  const [rawName] = wordsOf(rest, true);
  if (name === undefined || others.length > 0) return undefined;
  return {
    name,
    expand: countQuotes(name) === countQuotes(rawName ?? ""),
    chomp: match[2] === "-",
    fd: Number(match[1]),
  };
}

function wordsOf(text: string, rawQuotes: boolean): readonly string[] {
  const modes = { escape: "\\", skipUnset: true, keepQuotes: false, rawQuotes, rawEscapes: false } as const;
  return new WordExpander(text, NOTHING, modes, true).run().words;
}

function countQuotes(text: string): number {
  let count = 0;
  for (const char of text) if (char === "'" || char === '"') count++;
  return count;
}
