import type { Source } from "../source.ts";
import { matchDirective } from "./directive.ts";

/** Where a directive stands that says something about the whole file. */
export interface FileDirective {
  readonly line: number;
  /** The value up to its first space. */
  readonly value: string;
  /** The whole value. */
  readonly raw: string;
}

/**
 * The `syntax` directive as a builder looks for it before it knows that the file is a Dockerfile: after a
 * `#!` line, behind `#` or `//`, or as a JSON document's member.
 */
export function detectSyntax(source: Source): FileDirective | undefined {
  return findDirective(source, "syntax", "#") ?? findDirective(source, "syntax", "//") ?? fromJson(source);
}

/** The `check` directive, looked for in the same way but behind `#` only. */
export function detectCheck(source: Source): FileDirective | undefined {
  return findDirective(source, "check", "#");
}

function findDirective(source: Source, name: string, prefix: string): FileDirective | undefined {
  const seen = new Set<string>();
  const lines = source.lineStarts.length;
  for (let number = firstLine(source); number <= lines; number++) {
    const directive = matchDirective(withoutBom(source.line(number), number), prefix);
    if (directive === undefined || seen.has(directive.name)) return undefined;
    seen.add(directive.name);
    if (directive.name === name) {
      return { line: number, value: directive.value.split(" ", 1)[0] as string, raw: directive.value };
    }
  }
  return undefined;
}

function firstLine(source: Source): number {
  return withoutBom(source.line(1), 1).startsWith("#!") ? 2 : 1;
}

function withoutBom(line: string, number: number): string {
  return number === 1 && line.startsWith("\ufeff") ? line.slice(1) : line;
}

function fromJson(source: Source): FileDirective | undefined {
  const start = firstLine(source);
  const text = withoutBom(source.text.slice(source.lineStarts[start - 1]), start);
  if (!/^[\t\n\r ]*\{/.test(text)) return undefined;
  try {
    const value = (JSON.parse(text) as Record<string, unknown>)["syntax"];
    return typeof value === "string" ? { line: start, value, raw: value } : undefined;
  } catch {
    // Not JSON, then: an ordinary Dockerfile.
    return undefined;
  }
}
