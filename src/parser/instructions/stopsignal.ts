import type { InstructionNode } from "../ast.ts";
import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";
import { explainSingleText } from "./single-text.ts";

export interface StopsignalInstruction extends InstructionBase {
  readonly kind: "STOPSIGNAL";
  /** As written: \`SIGTERM\`, \`TERM\`, \`15\`. */
  readonly signal: string;
}

export function readStopsignal(reading: Reading): StopsignalInstruction {
  // BuildKit takes any flag here and ignores it.
  return { kind: "STOPSIGNAL", ...reading.base(), signal: reading.text("text") };
}

export function explainStopsignal(node: InstructionNode): Complaint {
  return explainSingleText(node, "SIGTERM");
}
