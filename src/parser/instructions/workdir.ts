import type { InstructionNode } from "../ast.ts";
import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";
import { explainSingleText } from "./single-text.ts";

export interface WorkdirInstruction extends InstructionBase {
  readonly kind: "WORKDIR";
  /** As written; blanks need no quotes. */
  readonly path: string;
}

export function readWorkdir(reading: Reading): WorkdirInstruction {
  reading.noFlags();
  return { kind: "WORKDIR", ...reading.base(), path: reading.text("text") };
}

export function explainWorkdir(node: InstructionNode): Complaint {
  return explainSingleText(node, "/app");
}
