import type { InstructionBase } from "./base.ts";
import { type CommandForm, readCommand } from "./command.ts";
import type { Reading } from "./reading.ts";

export interface EntrypointInstruction extends InstructionBase, CommandForm {
  readonly kind: "ENTRYPOINT";
}

export function readEntrypoint(reading: Reading): EntrypointInstruction {
  reading.noFlags();
  return { kind: "ENTRYPOINT", ...reading.base(), ...readCommand(reading) };
}
