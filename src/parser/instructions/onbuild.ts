import type { InstructionNode } from "../ast.ts";
import { toUpperSimple } from "../text/case.ts";
import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: "ONBUILD";
  /** The trigger as the image config keeps it; parse it with parseOnbuildTrigger. */
  readonly expression: string;
}

const PREFIX = /^[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*/i;

export function readOnbuild(reading: Reading): OnbuildInstruction {
  reading.noFlags();
  const { node } = reading;
  const trigger = toUpperSimple(node.trigger?.keyword ?? "");
  const focus = reading.token("trigger").range;
  if (trigger === "ONBUILD") {
    throw reading.error({
      code: "BAD_ONBUILD",
      reason: "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
      hint: "Leave one ONBUILD; triggers run in the next build only",
      focus,
    });
  }
  if (trigger === "MAINTAINER" || trigger === "FROM") {
    throw reading.error({
      code: "BAD_ONBUILD",
      reason: `${trigger} isn't allowed as an ONBUILD trigger`,
      hint:
        trigger === "FROM"
          ? "A trigger runs inside of a stage that has its base already"
          : 'Use ONBUILD LABEL maintainer="…"',
      focus,
    });
  }
  const bodies = node.heredocs.map(({ content, name }) => `\n${content}${name}`);
  return {
    kind: "ONBUILD",
    ...reading.base(),
    expression: node.original.replace(PREFIX, "") + bodies.join(""),
  };
}

export function explainOnbuild(node: InstructionNode): Complaint {
  const flag = node.tokens.find(({ type }) => type === "flag");
  if (flag !== undefined && node.trigger !== undefined)
    return { reason: "ONBUILD takes no flags", focus: flag.range };
  return {
    reason: "ONBUILD requires at least one argument",
    hint: "Write ONBUILD and another instruction: ONBUILD COPY . /app",
  };
}
