/**
 * Lower case by Unicode's simple mapping, one code point for one code point. `toLowerCase()` alone
 * would turn `İ` into two characters and a final sigma into `ς`.
 */
export function toLowerSimple(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  let out = "";
  for (const char of text) {
    const lower = char === "\u0130" ? "i" : char.toLowerCase();
    out += lower;
  }
  return out;
}

/** Upper case by Unicode's simple mapping: `ß` stays, where `toUpperCase()` would give `SS`. */
export function toUpperSimple(text: string): string {
  if (isAscii(text)) return text.toUpperCase();
  let out = "";
  for (const char of text) {
    const upper = char.toUpperCase();
    out += upper.length === char.length ? upper : char;
  }
  return out;
}

/**
 * Whether `text` is the ASCII word `word` but for case. Unicode case folding lets the Kelvin sign stand
 * for k and the long s for s.
 */
export function equalsFold(text: string, word: string): boolean {
  if (text.length !== word.length) return false;
  return text.replaceAll("\u212a", "k").replaceAll("\u017f", "s").toLowerCase() === word.toLowerCase();
}

/** Whether every UTF-16 unit is below U+0080. */
export function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
