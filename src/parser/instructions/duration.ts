const UNITS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

const PART = /([0-9]*)(\.[0-9]*)?([^0-9.]*)/y;
const MAX = 2n ** 63n;
/** Leading zeros aside, no number that fits has more; reading one takes time in the square of its length. */
const MAX_DIGITS = 100;

/**
 * Reads a duration as Go writes them: `1h15m30.918s`, `-1.5s`, `0`. @returns nanoseconds, or what is wrong with it
 */
export function parseDuration(text: string): bigint | string {
  const invalid = `time: invalid duration ${JSON.stringify(text)}`;
  const negative = text.startsWith("-");
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (body === "0") return 0n;
  if (body === "") return invalid;
  let total = 0n;
  PART.lastIndex = 0;
  for (let at = 0; at < body.length; at = PART.lastIndex) {
    PART.lastIndex = at;
    const [, whole = "", fraction = "", name = ""] = PART.exec(body) ?? [];
    if ((whole === "" && fraction.length <= 1) || whole.length > MAX_DIGITS) return invalid;
    if (name === "") return `time: missing unit in duration ${JSON.stringify(text)}`;
    const unit = UNITS.get(name);
    if (unit === undefined)
      return `time: unknown unit ${JSON.stringify(name)} in duration ${JSON.stringify(text)}`;
    total += BigInt(whole === "" ? "0" : whole) * unit + fractionOf(fraction, unit);
    if (total > MAX) return invalid;
  }
  if (negative) return -total;
  return total === MAX ? invalid : total;
}

/** Digits behind the point beyond a nanosecond are cut off. */
function fractionOf(fraction: string, unit: bigint): bigint {
  const digits = fraction.slice(1, 20);
  return digits === "" ? 0n : (BigInt(digits) * unit) / 10n ** BigInt(digits.length);
}
