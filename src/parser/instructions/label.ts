import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";
import { type KeyValue, readSettings } from "./settings.ts";

export interface LabelInstruction extends InstructionBase {
  readonly kind: "LABEL";
  readonly pairs: readonly KeyValue[];
}

export function readLabel(reading: Reading): LabelInstruction {
  reading.noFlags();
  return { kind: "LABEL", ...reading.base(), pairs: readSettings(reading, "LABEL") };
}

export function explainLabel(): Complaint {
  return { reason: "LABEL requires at least one argument", hint: 'Write LABEL NAME="VALUE"' };
}
