/** Whether a code point is in a class. */
export type Test = (point: number) => boolean;

/** Exactly one code point. */
export function equals(wanted: number): Test {
  return (point) => point === wanted;
}

/** Everything that another test refuses. */
export function not(test: Test): Test {
  return (point) => !test(point);
}

/** Letters, digits and `_` of ASCII, as `\w` and word boundaries have them. */
export function isWord(point: number | undefined): boolean {
  if (point === undefined) return false;
  const isDigit = point >= 0x30 && point <= 0x39;
  return isDigit || (point >= 0x41 && point <= 0x5a) || point === 0x5f || (point >= 0x61 && point <= 0x7a);
}

/** By the letter behind the backslash. */
export const PERL_CLASSES: Readonly<Record<string, Test>> = {
  d: (point) => point >= 0x30 && point <= 0x39,
  s: (point) => point === 0x20 || point === 0x09 || point === 0x0a || point === 0x0c || point === 0x0d,
  w: isWord,
};

/** By ranges of code points, each given by its first and last character. */
export const POSIX_CLASSES: Readonly<Record<string, readonly string[]>> = {
  alnum: ["09", "AZ", "az"],
  alpha: ["AZ", "az"],
  ascii: ["\0\x7f"],
  blank: ["\t\t", "  "],
  cntrl: ["\0\x1f", "\x7f\x7f"],
  digit: ["09"],
  graph: ["!~"],
  lower: ["az"],
  print: [" ~"],
  punct: ["!/", ":@", "[`", "{~"],
  space: ["\t\r", "  "],
  upper: ["AZ"],
  word: ["09", "AZ", "__", "az"],
  xdigit: ["09", "AF", "af"],
};

/** A general category (`L`, `Nd`) or a script (`Greek`); `^` in front for everything else. */
export function unicodeProperty(name: string): RegExp | undefined {
  const negated = name.startsWith("^");
  const bare = negated ? name.slice(1) : name;
  if (bare === "Any") return negated ? /$^/u : /^/u;
  const kind = /^[A-Z][a-z]?$/.test(bare) ? "General_Category" : "Script";
  try {
    return new RegExp(`^\\${negated ? "P" : "p"}{${kind}=${bare}}$`, "u");
  } catch {
    // There is no property of that name.
    return undefined;
  }
}
