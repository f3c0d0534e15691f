import { usageError } from "../error.ts";

const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/g;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Milliseconds from `90s`, `1h30m`, `500ms`, `0`.
 * @param flag what it was given as, for the message
 * @throws {CliError} USAGE
 */
export function parseDurationMs(text: string, flag: string): number {
  if (text === "0") return 0;
  const parts = [...text.matchAll(PART)];
  const isWhole = text !== "" && parts.map(([part]) => part).join("") === text;
  const total = parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (UNIT_MS[unit] ?? 0), 0);
  if (isWhole && Number.isSafeInteger(Math.round(total))) return Math.round(total);
  throw usageError(
    `Cannot read ${flag} "${text}" as a duration`,
    "Give a number with ms, s, m or h: 90s, 1h30m; or 0",
  );
}
