import type { InstructionNode, Token } from "../ast.ts";
import type { DockerfileError } from "../error.ts";
import type { Source } from "../source.ts";
import type { Fields } from "../syntax/tree.ts";
import { trimSpace } from "../text/space.ts";
import type { InstructionBase } from "./base.ts";
import { type Complaint, instructionError } from "./complaint.ts";
import { type FlagKinds, type FlagValues, readFlags } from "./flags.ts";

const NONE: readonly never[] = [];

/** One instruction on its way from tokens to its type: what the grammar found in it, by name. */
export class Reading {
  readonly node: InstructionNode;
  readonly source: Source;
  readonly #fields: Fields;

  constructor(node: InstructionNode, source: Source, fields: Fields) {
    this.node = node;
    this.source = source;
    this.#fields = fields;
  }

  base(): InstructionBase {
    const { node } = this;
    return {
      keyword: node.keyword,
      code: trimSpace(node.original),
      at: this.source.span(node.range),
      comments: node.comments,
      node,
    };
  }

  has(field: string): boolean {
    return this.#fields[field] !== undefined;
  }

  tokens(field: string): readonly Token[] {
    return this.#fields[field]?.map((index) => this.node.tokens[index] as Token) ?? NONE;
  }

  texts(field: string): readonly string[] {
    return this.#fields[field]?.map((index) => (this.node.tokens[index] as Token).value) ?? NONE;
  }

  /** The text of a field that is one token. */
  text(field: string): string {
    return this.token(field).value;
  }

  token(field: string): Token {
    const index = this.#fields[field]?.[0];
    const token = index === undefined ? undefined : this.node.tokens[index];
    if (token === undefined)
      throw new TypeError(`The grammar's rule for ${this.node.name} has no field ${field}`);
    return token;
  }

  /** @throws {DockerfileError} UNKNOWN_FLAG, DUPLICATE_FLAG, BAD_FLAG_VALUE */
  flags<K extends FlagKinds>(kinds: K): FlagValues<K> {
    return readFlags(this, this.tokens("flags"), kinds);
  }

  /** Refuses all flags. */
  noFlags(): void {
    if (this.node.flags.length > 0) this.flags({});
  }

  error(complaint: Complaint): DockerfileError {
    return instructionError(this.node, this.source, complaint);
  }
}
