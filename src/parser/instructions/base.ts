import type { SourceSpan } from "../../util/span.ts";
import type { InstructionNode } from "../ast.ts";

/** What every typed instruction has. */
export interface InstructionBase {
  /** The keyword as written. */
  readonly keyword: string;
  /** The instruction as one line: continuations joined, comments between them left out. */
  readonly code: string;
  /** From the keyword to the end of the arguments; heredoc bodies are not in it (see `node.endLine`). */
  readonly at: SourceSpan;
  /** The comment lines above it. */
  readonly comments: readonly string[];
  readonly node: InstructionNode;
}

/** The comment above that says what `name` is for: `# name what it is for`. */
export function docCommentFor(comments: readonly string[], name: string): string {
  if (name === "") return "";
  const start = `${name} `;
  return comments.find((comment) => comment.startsWith(start))?.slice(start.length) ?? "";
}
