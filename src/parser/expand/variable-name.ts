const SPECIAL: ReadonlySet<string> = new Set(["@", "*", "#", "?", "-", "$", "!", "0"]);

/**
 * Where the variable's name that begins at `start` ends: letters, digits and `_`; a number; or one special character.
 * @returns `start` where there is no name
 */
export function variableNameEnd(text: string, start: number): number {
  const first = charAt(text, start);
  if (isDigit(first)) return endOf(text, start, isDigit);
  if (SPECIAL.has(first)) return start + first.length;
  return endOf(text, start, (char) => char === "_" || isLetter(char) || isDigit(char));
}

function endOf(text: string, start: number, belongs: (char: string) => boolean): number {
  let at = start;
  for (let char = charAt(text, at); belongs(char); char = charAt(text, at)) at += char.length;
  return at;
}

/** The code point at an offset; "" at the end. */
function charAt(text: string, offset: number): string {
  const point = text.codePointAt(offset);
  return point === undefined ? "" : String.fromCodePoint(point);
}

/** Of any script, as in BuildKit. */
function isDigit(char: string): boolean {
  return char < "\u0080" ? char >= "0" && char <= "9" : /^\p{Nd}$/u.test(char);
}

function isLetter(char: string): boolean {
  return char < "\u0080" ? /^[A-Za-z]$/.test(char) : /^\p{L}$/u.test(char);
}
