import { compileGlob, findGlob, type Glob, matchGlobAt } from "./glob.ts";

/** The outcome of a pattern operation, or why it could not be done. */
export type PatternResult = { readonly value: string } | { readonly error: string };

/** `${name#pattern}` and, greedy, `${name##pattern}`. */
export function removePrefix(value: string, pattern: string, greedy: boolean): PatternResult {
  return remove([...value], [...pattern], greedy, (chars) => chars);
}

/** `${name%pattern}` and, greedy, `${name%%pattern}`: the same on the reversed text and pattern. */
export function removeSuffix(value: string, pattern: string, greedy: boolean): PatternResult {
  return remove([...value].reverse(), reversePattern([...pattern]), greedy, (chars) => chars.reverse());
}

function remove(
  text: string[],
  pattern: readonly string[],
  greedy: boolean,
  restore: (chars: string[]) => string[],
): PatternResult {
  const glob = compileGlob(pattern);
  if (typeof glob === "string") return { error: glob };
  const end = matchGlobAt(glob, text, 0, greedy) ?? 0;
  return { value: restore(text.slice(end)).join("") };
}

/** Reverses a pattern but keeps each escape in front of what it escapes: `a\*c` is `c\*a`. */
function reversePattern(pattern: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    const next = pattern[i + 1];
    if (char === "\\" && next !== undefined) {
      out.unshift(char, next);
      i++;
    } else {
      out.unshift(char);
    }
  }
  return out;
}

/** `${name/pattern/replacement}`: the first match; with `all`, `${name//pattern/replacement}`: every match. */
export function replacePattern(
  value: string,
  pattern: string,
  replacement: { readonly text: string; readonly all: boolean },
): PatternResult {
  const glob = compileGlob([...pattern]);
  if (typeof glob === "string") return { error: glob };
  const text = [...value];
  if (replacement.all) return { value: replaceAll(text, glob, replacement.text) };
  const found = findGlob(glob, text, 0);
  if (found === undefined) return { value };
  return { value: text.slice(0, found.start).join("") + replacement.text + text.slice(found.end).join("") };
}

function replaceAll(text: readonly string[], glob: Glob, template: string): string {
  let out = "";
  let copied = 0;
  let at = 0;
  while (at <= text.length) {
    const found = findGlob(glob, text, at);
    if (found === undefined) break;
    out += text.slice(copied, found.start).join("");
    const matched = text.slice(found.start, found.end).join("");
    // An empty match right after another match does not count.
    if (found.end > copied || found.start === 0) out += expandTemplate(template, matched);
    copied = found.end;
    at = found.end > at ? found.end : at + 1;
  }
  return out + text.slice(copied).join("");
}

/**
 * In the all-matches form BuildKit hands the replacement to its regular expression library, where `$0` is the match,
 * `$$` a dollar and every other `$name` a group that does not exist, thus nothing.
 */
function expandTemplate(template: string, matched: string): string {
  if (!template.includes("$")) return template;
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (whole: string, braced?: string, bare?: string) => {
      if (whole === "$$") return "$";
      return (braced ?? bare) === "0" ? matched : "";
    },
  );
}
