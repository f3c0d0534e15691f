import type { InstructionNode } from "../ast.ts";
import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";
import { explainSingleText } from "./single-text.ts";

export interface UserInstruction extends InstructionBase {
  readonly kind: "USER";
  /** As written: \`user\`, \`user:group\`, names or numbers. */
  readonly user: string;
}

export function readUser(reading: Reading): UserInstruction {
  reading.noFlags();
  return { kind: "USER", ...reading.base(), user: reading.text("text") };
}

export function explainUser(node: InstructionNode): Complaint {
  return explainSingleText(node, "nobody");
}
