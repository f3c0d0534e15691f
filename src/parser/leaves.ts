import type { DockerfileAst, EscapeCharacter, InstructionNode, Item, Token } from "./ast.ts";
import type { Range, Source } from "./source.ts";
import { lexTrivia, type TriviaKind } from "./syntax/lexer.ts";

/**
 * The smallest parts of a file. Every character belongs to exactly one, and joined they are the file.
 * A token's kind is its type in the grammar.
 */
export interface Leaf {
  readonly kind: Item["kind"] | TriviaKind | Token["type"];
  /** As written: with continuations, quotes and escapes. */
  readonly text: string;
  readonly range: Range;
}

/** The leaves of a whole file, in order. */
export function* leavesOf(ast: DockerfileAst, source: Source): Generator<Leaf, void, undefined> {
  for (const item of ast.items) {
    if (item.kind === "instruction") yield* instructionLeaves(item, source, ast.escape);
    else yield leaf(item.kind, item.extent, source);
  }
}

/** The leaves of one instruction, from the start of its first line to the end of its last. */
export function* instructionLeaves(
  node: InstructionNode,
  source: Source,
  escapeChar: EscapeCharacter,
): Generator<Leaf, void, undefined> {
  let at = node.extent.start;
  for (const token of allTokens(node)) {
    const start = Math.max(at, token.range.start);
    const end = Math.max(start, token.range.end);
    yield* trivia(source, { start: at, end: start }, escapeChar);
    if (end > start) yield leaf(token.type, { start, end }, source);
    at = end;
  }
  yield* trivia(source, { start: at, end: node.extent.end }, escapeChar);
}

/** The file's text again, put together from its leaves. */
export function printDockerfile(ast: DockerfileAst, source: Source): string {
  const parts: string[] = [];
  for (const { text } of leavesOf(ast, source)) parts.push(text);
  return parts.join("");
}

/** An instruction's tokens, with those of the trigger inside it in the place of the trigger. */
function allTokens(node: InstructionNode): readonly Token[] {
  const tokens: Token[] = [];
  for (let inner: InstructionNode | undefined = node; inner !== undefined; inner = inner.trigger) {
    for (const token of inner.tokens)
      if (token.type !== "trigger" && token.type !== "heredoc") tokens.push(token);
  }
  for (const token of node.tokens) if (token.type === "heredoc") tokens.push(token);
  return tokens;
}

function* trivia(
  source: Source,
  range: Range,
  escapeChar: EscapeCharacter,
): Generator<Leaf, void, undefined> {
  if (range.end <= range.start) return;
  let at = range.start;
  for (const { kind, text } of lexTrivia(source.text.slice(range.start, range.end), escapeChar)) {
    yield { kind, text, range: { start: at, end: at + text.length } };
    at += text.length;
  }
}

function leaf(kind: Leaf["kind"], range: Range, source: Source): Leaf {
  return { kind, text: source.text.slice(range.start, range.end), range };
}
