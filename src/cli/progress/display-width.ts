// Two cells wide: East Asian Wide and Fullwidth (UAX #11) by block, and what Unicode shows as an emoji by itself.
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
// No cell of their own: combining marks, joiners, variation selectors, controls.
const ZERO = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u;
const ASCII = /^[ -~]*$/;

/** How many cells of a terminal a line takes; it must hold no escape sequences. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

/** The longest beginning of `text` that fits into `cells`; where something is cut, `…` ends it. */
export function truncate(text: string, cells: number): string {
  if (cells <= 0) return "";
  if (displayWidth(text) <= cells) return text;
  let width = 0;
  let kept = "";
  for (const character of text) {
    const next = cellsOf(character);
    if (width + next > cells - 1) break;
    width += next;
    kept += character;
  }
  return `${kept}…`;
}

function cellsOf(character: string): number {
  if (character >= " " && character <= "~") return 1;
  if (ZERO.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
