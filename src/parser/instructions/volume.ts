import { trimSpace } from "../text/space.ts";
import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";

export interface VolumeInstruction extends InstructionBase {
  readonly kind: "VOLUME";
  /** As written, trimmed. */
  readonly volumes: readonly string[];
}

export function readVolume(reading: Reading): VolumeInstruction {
  reading.noFlags();
  const volumes = reading.tokens("words").map(({ value, range }) => {
    const volume = trimSpace(value);
    if (volume !== "") return volume;
    throw reading.error({
      reason: "VOLUME specified can not be an empty string",
      hint: "Name the folder: VOLUME /data",
      focus: range,
    });
  });
  return { kind: "VOLUME", ...reading.base(), volumes };
}

export function explainVolume(): Complaint {
  return { reason: "VOLUME requires at least one argument", hint: 'Write VOLUME /data or VOLUME ["/data"]' };
}
