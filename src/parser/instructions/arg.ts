import { docCommentFor, type InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";

export interface ArgDefinition {
  readonly key: string;
  /** As written, quotes included; undefined for a bare name. */
  readonly value: string | undefined;
  /** What the comment above says about this argument. */
  readonly docComment: string;
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: "ARG";
  readonly args: readonly ArgDefinition[];
}

export function readArg(reading: Reading): ArgInstruction {
  const base = reading.base();
  const args = reading.tokens("definitions").map((token) => {
    if (token.pair?.key.text === "") {
      throw reading.error({
        code: "BAD_KEY_VALUE",
        reason: "ARG names can not be blank",
        hint: "Write ARG NAME or ARG NAME=DEFAULT, without blanks around =",
        focus: token.range,
      });
    }
    const key = token.pair?.key.text ?? token.value;
    return { key, value: token.pair?.value.text, docComment: docCommentFor(base.comments, key) };
  });
  return { kind: "ARG", ...base, args };
}

export function explainArg(): Complaint {
  return { reason: "ARG requires at least one argument", hint: "Write ARG NAME or ARG NAME=DEFAULT" };
}
