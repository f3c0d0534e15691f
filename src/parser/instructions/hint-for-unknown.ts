import { nearest } from "../../util/nearest.ts";
import type { InstructionNode } from "../ast.ts";
import type { Source } from "../source.ts";
import { KEYWORDS } from "../syntax/keywords.ts";

/** Blanks that are none for a Dockerfile, and characters of no width. */
const INVISIBLE = /[\u00a0\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]/;

/** What the author of a line that begins with no instruction most likely has to do. */
export function hintForUnknown(node: InstructionNode, source: Source): string {
  const { keyword, original } = node;
  if (isUtf16(source)) return "The file is UTF-16; save it as UTF-8";
  const invisible = INVISIBLE.exec(keyword)?.[0];
  if (invisible !== undefined) {
    const code = (invisible.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return `There is an invisible character in it, U+${code}: remove it, or put a plain blank there`;
  }
  const close = nearest(
    keyword,
    Array.from(KEYWORDS.values(), ({ terminal }) => terminal),
  );
  if (close !== undefined) return `Did you mean ${close}?`;
  if (/^(&&|\|\||[|;&-])/.test(keyword)) {
    return "This looks like the rest of a command: end the line before it with \\, or use a heredoc (RUN <<EOF)";
  }
  if (keyword.startsWith("//")) return "Comments begin with #";
  if (/^[{[]/.test(original) || /^[\w-]+:$/.test(keyword)) {
    return "This does not look like a Dockerfile; is it the right file?";
  }
  // In lower case it is hardly meant as an instruction.
  if (/^[a-z][\w./-]*$/.test(keyword)) {
    return `To run a command, write RUN ${keyword} …, or end the line before it with \\`;
  }
  return "Every line begins with an instruction such as FROM, RUN or COPY, unless the line before it ends with \\";
}

/** Windows editors' "Unicode": a byte order mark that is no UTF-8, and a NUL beside every letter. */
function isUtf16({ text }: Source): boolean {
  return text.startsWith("\udcff\udcfe") || text.startsWith("\udcfe\udcff") || /^[a-z#]\0/i.test(text);
}
