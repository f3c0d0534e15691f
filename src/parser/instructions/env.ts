import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";
import { type KeyValue, readSettings } from "./settings.ts";

export interface EnvInstruction extends InstructionBase {
  readonly kind: "ENV";
  readonly pairs: readonly KeyValue[];
}

export function readEnv(reading: Reading): EnvInstruction {
  reading.noFlags();
  return { kind: "ENV", ...reading.base(), pairs: readSettings(reading, "ENV") };
}

export function explainEnv(): Complaint {
  return { reason: "ENV requires at least one argument", hint: "Write ENV NAME=VALUE" };
}
