import type { SourceSpan } from "../../../util/span.ts";
import type { EnvInstruction } from "../../instructions/env.ts";
import type { LabelInstruction } from "../../instructions/label.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const legacyKeyValueFormat = buildCheck(
  "LegacyKeyValueFormat",
  "ENV and LABEL are written as key=value, not with a blank between",
  { page: "legacy-key-value-format" },
);

export function checkKeyValueFormat(
  instruction: EnvInstruction | LabelInstruction,
  range: SourceSpan,
  reporter: Reporter,
): void {
  for (const { key, isLegacy } of instruction.pairs) {
    if (isLegacy !== true) continue;
    reporter.report(
      legacyKeyValueFormat,
      range,
      `Write "${instruction.keyword} ${key}=value" instead of the old form "${instruction.keyword} ${key} value"`,
    );
  }
}
