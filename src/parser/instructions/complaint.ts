import type { InstructionNode } from "../ast.ts";
import { DockerfileError, type DockerfileErrorCode } from "../error.ts";
import type { Range, Source } from "../source.ts";

/** What is wrong with an instruction, in words for its reader. */
export interface Complaint {
  readonly code?: DockerfileErrorCode;
  readonly reason: string;
  readonly hint?: string | undefined;
  /** The part to point at; the whole instruction if left out. */
  readonly focus?: Range | undefined;
  readonly cause?: unknown;
}

/** The error for a complaint about an instruction. */
export function instructionError(
  node: InstructionNode,
  source: Source,
  complaint: Complaint,
): DockerfileError {
  const { code = "BAD_ARGUMENTS", reason, hint, focus, cause } = complaint;
  return new DockerfileError(code, reason, {
    at: source.span(node.range),
    focus: focus === undefined ? undefined : source.span(focus),
    hint,
    cause,
  });
}
