import type { InstructionNode } from "../ast.ts";
import type { Complaint } from "./complaint.ts";

/** WORKDIR, USER, STOPSIGNAL and MAINTAINER without their one argument. */
export function explainSingleText(node: InstructionNode, example: string): Complaint {
  const name = node.tokens[0]?.type ?? "";
  return { reason: `${name} requires exactly one argument`, hint: `Write ${name} ${example}` };
}
