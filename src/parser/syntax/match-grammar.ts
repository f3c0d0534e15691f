import nearley from "nearley";
import { lazily } from "../../util/lazily.ts";
import type { Token } from "../ast.ts";
import { grammarRules } from "../generated/dockerfile.gen.ts";
import { KEYWORDS } from "./keywords.ts";
import { type Fields, fieldsOf, type Terminal } from "./tree.ts";

/** Position of the token that the grammar does not allow, or of the end if it wants more. */
export interface Rejection {
  readonly rejectedAt: number;
}

/** The rule to start at, by the keyword's terminal: nearley would try all eighteen for every instruction. */
const grammars = lazily((): ReadonlyMap<string, nearley.Grammar> => {
  const compiled = nearley.Grammar.fromCompiled({
    Lexer: undefined,
    ParserRules: grammarRules() as unknown as nearley.ParserRule[],
    ParserStart: "instruction",
  });
  const startingAt = (rule: string): nearley.Grammar => {
    const grammar = new nearley.Grammar(compiled.rules);
    grammar.start = rule;
    return grammar;
  };
  return new Map(
    Array.from(KEYWORDS.values(), ({ terminal }) => [terminal, startingAt(terminal.toLowerCase())]),
  );
});

/**
 * The derivations of short instructions. A few dozen shapes are most of what is ever written; the limits keep odd files from
 * filling memory. It is no state that anyone could notice: a shape has one derivation.
 */
const COMMON = new Map<string, Fields | Rejection>();
const MOST_COMMON = 500;
const MOST_TOKENS = 12;

/**
 * Matches instructions against the grammar. A derivation depends on the types of the tokens alone, so instructions of the
 * same shape, which is most of a file, are derived once: `RUN text` is the same whatever the text.
 */
export class GrammarMatcher {
  readonly #known = new Map<string, Fields | Rejection>();

  /** @param tokens beginning with the keyword */
  match(tokens: readonly Token[]): Fields | Rejection {
    let shape = "";
    for (const { type } of tokens) shape += `${type} `;
    const isShort = tokens.length <= MOST_TOKENS;
    const known = (isShort ? COMMON.get(shape) : undefined) ?? this.#known.get(shape);
    if (known !== undefined) return known;
    const derived = derive(tokens);
    (isShort && COMMON.size < MOST_COMMON ? COMMON : this.#known).set(shape, derived);
    return derived;
  }
}

export function isRejection(result: Fields | Rejection): result is Rejection {
  return typeof result["rejectedAt"] === "number";
}

function derive(tokens: readonly Token[]): Fields | Rejection {
  const grammar = grammars().get(tokens[0]?.type ?? "");
  if (grammar === undefined) return { rejectedAt: 0 };
  const lexer = new TokenList();
  const parser = new nearley.Parser(grammar, { lexer: lexer as unknown as nearley.Lexer });
  // nearley would describe its whole table, which nobody reads: the instruction knows better what is wrong.
  Object.assign(parser, { reportError: () => "rejected" });
  lexer.tokens = tokens;
  try {
    parser.feed("");
  } catch (error) {
    if (typeof (error as { offset?: unknown }).offset !== "number") throw error;
    return { rejectedAt: (error as { offset: number }).offset };
  }
  if (parser.results.length > 1) throw new Error("Invariant broken: the Dockerfile grammar is ambiguous");
  if (parser.results.length === 0) return { rejectedAt: tokens.length };
  return fieldsOf(parser.results[0]);
}

/** Hands a list of tokens to nearley, which asks its lexer for them. */
class TokenList {
  tokens: readonly Token[] = [];
  #index = 0;

  reset(): void {
    this.#index = 0;
  }

  next(): (Terminal & { readonly value: string }) | undefined {
    const type = this.tokens[this.#index]?.type;
    if (type === undefined) return undefined;
    return { type, text: type, value: type, index: this.#index++ };
  }

  save(): undefined {
    return undefined;
  }

  formatError(): string {
    return "";
  }

  has(): boolean {
    return true;
  }
}
