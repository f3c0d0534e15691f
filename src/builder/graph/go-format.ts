/*
 * History entries of Docker are made by Go's fmt, and people and tools read them: these few functions write values
 * the same way.
 */

/** `%q` of a list of strings: `["a" "b"]`. */
export function quoteList(values: readonly string[]): string {
  return `[${values.map(quote).join(" ")}]`;
}

/** `%v` of a list: `[a b]`. */
export function plainList(values: readonly string[]): string {
  return `[${values.join(" ")}]`;
}

/** `%q` of a string: double quotes, Go's escapes. */
export function quote(value: string): string {
  let text = '"';
  for (const character of value) {
    const code = character.codePointAt(0) as number;
    const short = SHORT_ESCAPES[character];
    if (short !== undefined) text += short;
    else if (code < 0x20 || code === 0x7f) text += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/u.test(character)
    )
      text +=
        code > 0xffff
          ? `\\U${code.toString(16).padStart(8, "0")}`
          : `\\u${code.toString(16).padStart(4, "0")}`;
    else text += character;
  }
  return `${text}"`;
}

/** `%q` of an integer, which Go takes for a character: `'\\x04'`. */
export function quoteRune(code: number): string {
  const isCharacter = code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  const character = isCharacter ? String.fromCodePoint(code) : "\ufffd";
  if (character === '"') return `'"'`;
  if (character === "'") return "'\\''";
  return `'${quote(character).slice(1, -1)}'`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** A duration in nanoseconds as Go prints it: `1h0m0s`, `1.5s`, `300ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  const sign = nanoseconds < 0 ? "-" : "";
  const ns = Math.abs(nanoseconds);
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${ns / 1e3}µs`;
  if (ns < 1e9) return `${sign}${ns / 1e6}ms`;
  const seconds = ns / 1e9;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = (ns - (hours * 3600 + minutes * 60) * 1e9) / 1e9;
  const head = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : "";
  return `${sign}${head}${rest}s`;
}
