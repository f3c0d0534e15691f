import type { InstructionNode } from "../ast.ts";
import { toLowerSimple } from "../text/case.ts";
import { docCommentFor, type InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";

export interface FromInstruction extends InstructionBase {
  readonly kind: "FROM";
  /** As written; variables and quotes are still in it. */
  readonly baseName: string;
  /** Lower case. */
  readonly name: string | undefined;
  /** `--platform`, as written. */
  readonly platform: string | undefined;
  /** What the comment above says about the stage. */
  readonly docComment: string;
}

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

export function readFrom(reading: Reading): FromInstruction {
  const name = reading.has("name") ? toLowerSimple(reading.text("name")) : undefined;
  if (name !== undefined && !STAGE_NAME.test(name)) {
    throw reading.error({
      code: "BAD_STAGE_NAME",
      reason: `invalid name for build stage: ${JSON.stringify(reading.text("name"))}, name can't start with a number or contain symbols`,
      hint: "A stage's name begins with a letter; then letters, digits, -, _ and . may follow",
      focus: reading.token("name").range,
    });
  }
  const { platform } = reading.flags({ platform: "string" });
  const base = reading.base();
  return {
    kind: "FROM",
    ...base,
    baseName: reading.text("image"),
    name,
    platform: platform === "" ? undefined : platform,
    docComment: docCommentFor(base.comments, name ?? ""),
  };
}

export function explainFrom(node: InstructionNode): Complaint {
  const reason = "FROM requires either one or three arguments";
  if (node.args.length === 0) return { reason, hint: "Write FROM IMAGE, for example FROM alpine" };
  if (node.args.some((word) => word.startsWith("--"))) {
    return { reason, hint: "Flags stand before the image: FROM --platform=linux/amd64 alpine" };
  }
  if (node.args.some((word) => word.startsWith("#"))) {
    return { reason, hint: "A comment needs a line of its own; behind an instruction # is part of it" };
  }
  return { reason, hint: "Write FROM IMAGE or FROM IMAGE AS NAME" };
}
