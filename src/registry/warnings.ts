import { cleanText } from "./redact.ts";

/** Warnings a registry sends past these are dropped. */
const MAX_WARNINGS = 100;

/**
 * The texts of `Warning: 299 - "text"` headers.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#warnings
 */
export function parseWarnings(headers: readonly string[]): readonly string[] {
  return headers.flatMap((header) => {
    if (header.length > 8192) return [];
    // One after the other, with its date if it has one: what another quotes is none.
    return [
      ...header.matchAll(/(\d{3}) +[^\s",]+ +"((?:[^"\\]|\\.)*)"(?: +"[^"]*")?\s*(?:,\s*|$)/gy),
    ].flatMap(([, code, quoted = ""]) => {
      const text = code === "299" ? cleanText(quoted.replace(/\\(.)/g, "$1"), 4096) : "";
      return text === "" ? [] : [text];
    });
  });
}

/** Lets each text through once. */
export class WarningFilter {
  readonly #seen = new Set<string>();

  isNew(text: string): boolean {
    if (this.#seen.has(text) || this.#seen.size >= MAX_WARNINGS) return false;
    this.#seen.add(text);
    return true;
  }
}
