import type { InstructionNode } from "../ast.ts";
import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";
import { explainSingleText } from "./single-text.ts";

export interface MaintainerInstruction extends InstructionBase {
  readonly kind: "MAINTAINER";
  /** The author. */
  readonly maintainer: string;
}

export function readMaintainer(reading: Reading): MaintainerInstruction {
  reading.noFlags();
  return { kind: "MAINTAINER", ...reading.base(), maintainer: reading.text("text") };
}

export function explainMaintainer(node: InstructionNode): Complaint {
  return explainSingleText(node, "NAME");
}
