import { stripVTControlCharacters } from "node:util";

// C0 and C1 controls and DEL: what could move a terminal's cursor or recolour it.
const CONTROLS = /(?![\n\t])\p{Cc}/gu;

/** Text that came from elsewhere, made safe for a terminal: no escape sequences, no control characters but newline and tab. */
export function sanitize(text: string): string {
  return stripVTControlCharacters(text).replace(CONTROLS, "");
}

/** The same, as one line: every run of blanks and newlines is one blank. */
export function oneLine(text: string): string {
  return sanitize(text).replace(/\s+/g, " ").trim();
}
