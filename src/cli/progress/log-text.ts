import { sanitize } from "../text.ts";

const TAB = 8;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal start with ESC
const SGR = /\u001b\[[0-9;:]*m/g;
const RESET = "\u001b[0m";

/** A line of a step's output for a view that places text by cells: no escapes, tabs as blanks. */
export function plainLogText(line: string): string {
  return expandTabs(sanitize(line));
}

/** A line of a step's output with its colours and nothing else that a terminal would act on. */
export function colouredLogText(line: string): string {
  const colours = line.match(SGR);
  if (colours === null) return sanitize(line);
  const texts = line.split(SGR).map(sanitize);
  return texts.map((text, index) => text + (colours[index] ?? "")).join("") + RESET;
}

function expandTabs(text: string): string {
  if (!text.includes("\t")) return text;
  let expanded = "";
  for (const part of text.split(/(\t)/)) {
    expanded += part === "\t" ? " ".repeat(TAB - (expanded.length % TAB)) : part;
  }
  return expanded;
}
