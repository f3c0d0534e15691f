import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";

export interface ExposeInstruction extends InstructionBase {
  readonly kind: "EXPOSE";
  /** As written (`80`, `53/udp`, `8000-8010`, `$PORT`), sorted as strings. */
  readonly ports: readonly string[];
}

export function readExpose(reading: Reading): ExposeInstruction {
  reading.noFlags();
  return { kind: "EXPOSE", ...reading.base(), ports: reading.texts("words").toSorted(compareCodePoints) };
}

/** The order of UTF-8 bytes, which is that of code points and not that of UTF-16 units. */
function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

export function explainExpose(): Complaint {
  return { reason: "EXPOSE requires at least one argument", hint: "Write EXPOSE 80 or EXPOSE 53/udp" };
}
