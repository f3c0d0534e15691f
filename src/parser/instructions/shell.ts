import type { InstructionNode } from "../ast.ts";
import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";

export interface ShellInstruction extends InstructionBase {
  readonly kind: "SHELL";
  readonly shell: readonly string[];
}

export function readShell(reading: Reading): ShellInstruction {
  reading.noFlags();
  return { kind: "SHELL", ...reading.base(), shell: reading.texts("argv") };
}

const EXAMPLE = 'Write SHELL ["/bin/bash", "-c"]';

export function explainShell(node: InstructionNode): Complaint {
  if (node.args.length === 0) return { reason: "SHELL requires at least one argument", hint: EXAMPLE };
  return {
    code: "BAD_JSON_FORM",
    reason: "SHELL requires the arguments to be in JSON form",
    hint: `${EXAMPLE}: brackets, double quotes, commas between`,
    focus: node.tokens.at(-1)?.range,
  };
}
