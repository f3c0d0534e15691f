import type { Reading } from "./reading.ts";

/** One pair of ENV or LABEL, as written: quotes and variables are still in it. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** Written in the old form, `key value`. */
  readonly isLegacy?: boolean;
}

/** The pairs of ENV and LABEL. @throws {DockerfileError} BAD_KEY_VALUE */
export function readSettings(reading: Reading, instruction: "ENV" | "LABEL"): readonly KeyValue[] {
  if (reading.has("name"))
    return [{ key: reading.text("name"), value: reading.text("text"), isLegacy: true }];
  return reading.tokens("pairs").map(({ pair, range }) => {
    const key = pair?.key.text ?? "";
    if (key === "") {
      throw reading.error({
        code: "BAD_KEY_VALUE",
        reason: `${instruction} names can not be blank`,
        hint: "A name must stand in front of =, without blanks between them",
        focus: range,
      });
    }
    return { key, value: pair?.value.text ?? "" };
  });
}
