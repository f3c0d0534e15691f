import type { SourceSpan } from "../../util/span.ts";
import type { InstructionNode } from "../ast.ts";
import type { InstructionBase } from "../instructions/base.ts";
import type { Source } from "../source.ts";

/** All lines of an instruction, its heredocs included. */
export function rangeOf({ at, node }: InstructionBase): SourceSpan {
  if (node.heredocs.length === 0 && at.endLine === node.endLine) return at;
  const { file, startLine, startColumn } = at;
  // A comment or blank line may end a continued instruction: then the range ends at that line's beginning.
  return { file, startLine, startColumn, endLine: node.endLine, endColumn: 1 };
}

/** The same for an instruction that has no type yet. */
export function rangeOfNode(node: InstructionNode, source: Source): SourceSpan {
  const span = source.span(node.range);
  return span.endLine === node.endLine ? span : { ...span, endLine: node.endLine, endColumn: 1 };
}
