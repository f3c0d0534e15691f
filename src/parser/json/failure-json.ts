import type { InstructionNode } from "../ast.ts";
import type { DockerfileError } from "../error.ts";
import { encodeUtf8 } from "../index.ts";
import type { Source } from "../source.ts";
import { MAX_LINE_BYTES } from "../syntax/line-reader.ts";
import type { JsonObject } from "./json.ts";

interface Lines {
  readonly line: number;
  readonly endLine: number;
}

/** Why a phase failed, and in which lines. @param instructions what the phase before found */
export function failureJson(
  error: DockerfileError,
  source: Source,
  instructions: readonly InstructionNode[] = [],
): JsonObject {
  return { ok: false, error: error.reason, ...linesOf(error, source, instructions) };
}

/**
 * The lines that BuildKit names for an error, where we name the one that is meant: of a bad directive the one before, of a
 * file without instructions or with a heredoc that never ends the last.
 */
function linesOf(
  { code, at }: DockerfileError,
  source: Source,
  instructions: readonly InstructionNode[],
): Lines {
  const line = at?.startLine ?? 0;
  switch (code) {
    case "BAD_DIRECTIVE":
      return both(line - 1);
    case "LINE_TOO_LONG":
      // Inside a continued instruction its reader goes on with a piece of the line, and so has counted it.
      return both(continuesInto(source, line) ? line : line - 1);
    case "NO_INSTRUCTIONS":
      return both(countLines(source));
    case "UNTERMINATED_HEREDOC":
      return { line, endLine: lastReadable(source, line) };
    default: {
      const node = instructions.find(({ startLine }) => startLine === line);
      return { line, endLine: node?.endLine ?? at?.endLine ?? 0 };
    }
  }
}

function both(line: number): Lines {
  return { line, endLine: line };
}

function countLines({ text, lineStarts }: Source): number {
  return lineStarts.length - (text === "" || text.endsWith("\n") ? 1 : 0);
}

/** The last line from this one on that comes before one that is too long. */
function lastReadable(source: Source, line: number): number {
  const count = countLines(source);
  let last = line;
  while (last < count && encodeUtf8(source.line(last + 1)).length <= MAX_LINE_BYTES) last++;
  return last;
}

/** Whether the lines before a line are an instruction's that goes on in it. */
function continuesInto(source: Source, line: number): boolean {
  for (let before = line - 1; before > 0; before--) {
    const text = source.line(before).trim();
    if (text !== "" && !text.startsWith("#")) return text.endsWith("\\");
  }
  return false;
}
