/*
 * What the grammar's rules make of an instruction: named fields, each the positions of the tokens in it. Positions
 * rather than the tokens themselves, because a derivation depends on nothing but the types of the tokens, so that one can
 * serve all instructions of the same shape.
 */

/** A terminal as the grammar sees it. `text` repeats the type, which is what literals are compared with. */
export interface Terminal {
  readonly type: string;
  readonly text: string;
  readonly index: number;
}

/** A list that shares its beginning: rules are completed for every prefix, and copying each would take quadratic time. */
interface Cell {
  readonly before: Cell | undefined;
  readonly last: Terminal | undefined;
}

interface Parts {
  readonly [name: string]: Value;
}
type Value = Terminal | Cell | Parts;

/** Token positions by field name; a single token is a list of one. */
export type Fields = Readonly<Record<string, readonly number[]>>;

type Postprocess = (parts: readonly Value[]) => Value;

export interface GrammarRule {
  readonly name: string;
  readonly symbols: readonly (string | { readonly type: string } | { readonly literal: string })[];
  readonly postprocess?: Postprocess;
}

/** A list of the one thing matched, or of nothing. */
export const list: Postprocess = ([first]) => ({ before: undefined, last: first as Terminal | undefined });

/** A list and, behind it (and perhaps a comma), one more. */
export const append: Postprocess = (parts) => ({ before: parts[0] as Cell, last: parts.at(-1) as Terminal });

/** A rule that only stands for another. */
export const pass: Postprocess = ([only]) => only as Value;

/** A rule that puts something around another. */
export const second: Postprocess = (parts) => parts[1] as Value;

/** Names the parts of a rule, in order: `_` is left out, `...` brings the fields of the rule it stands for. */
export function node(names: string): Postprocess {
  const fields = names === "" ? [] : names.split(" ");
  return (parts) => {
    const out: Record<string, Value> = {};
    for (const [index, name] of fields.entries()) {
      const part = parts[index] as Value;
      if (name === "...") Object.assign(out, part);
      else if (name !== "_") out[name] = part;
    }
    return out;
  };
}

/** Token positions of a finished derivation. */
export function fieldsOf(derivation: unknown): Fields {
  const out: Record<string, readonly number[]> = {};
  for (const [name, value] of Object.entries(derivation as Parts))
    out[name] = positions(value as Terminal | Cell);
  return out;
}

function positions(value: Terminal | Cell): readonly number[] {
  if ("index" in value) return [value.index];
  const found: number[] = [];
  for (let cell: Cell | undefined = value; cell !== undefined; cell = cell.before) {
    if (cell.last !== undefined) found.push(cell.last.index);
  }
  return found.reverse();
}
