import type { InstructionBase } from "./base.ts";
import { type CommandForm, readCommand } from "./command.ts";
import type { Reading } from "./reading.ts";

export interface CmdInstruction extends InstructionBase, CommandForm {
  readonly kind: "CMD";
}

export function readCmd(reading: Reading): CmdInstruction {
  reading.noFlags();
  return { kind: "CMD", ...reading.base(), ...readCommand(reading) };
}
