import { trimSpace } from "../text/space.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { cleanPath } from "./clean-path.ts";

/** One pattern of an ignore file. */
export interface IgnorePattern {
  /** Cleaned, with its `!` if it has one. */
  readonly text: string;
  /** Line of the file, from 1; 0 for a pattern that stands in none. */
  readonly line: number;
}

/**
 * Reads a `.dockerignore`: comments (lines that *start* with `#`) and blank lines dropped, patterns trimmed and
 * cleaned, a leading slash removed. `!` marks an exception. Never fails; see createIgnore for bad patterns.
 */
export function parseIgnorefile(content: string | Uint8Array): readonly string[] {
  return parseIgnoreLines(content).map(({ text }) => text);
}

/** Like {@link parseIgnorefile}, with the line of each pattern, for those who have to name it. */
export function parseIgnoreLines(content: string | Uint8Array): readonly IgnorePattern[] {
  const text = typeof content === "string" ? content : decodeUtf8(content);
  const patterns: IgnorePattern[] = [];
  const lines = text.split("\n");
  for (const [index, raw] of lines.entries()) {
    const line = index === 0 && raw.startsWith("\ufeff") ? raw.slice(1) : raw;
    if (line.startsWith("#")) continue;
    const trimmed = trimSpace(line);
    if (trimmed !== "") patterns.push({ text: normalize(trimmed), line: index + 1 });
  }
  return patterns;
}

function normalize(pattern: string): string {
  if (pattern.startsWith("!")) return `!${relative(trimSpace(pattern.slice(1)))}`;
  return relative(pattern);
}

function relative(pattern: string): string {
  if (pattern === "") return "";
  const cleaned = cleanPath(pattern);
  return cleaned.length > 1 && cleaned.startsWith("/") ? cleaned.slice(1) : cleaned;
}
