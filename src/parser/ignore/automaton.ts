import { isWord, type Test } from "./char-test.ts";
import type { ExpressionNode } from "./expression.ts";

/** One step of the compiled expression. */
type Step =
  | { readonly kind: "one"; readonly test: Test }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "match" }
  | { readonly kind: "word-boundary"; readonly wanted: boolean }
  | { readonly kind: "split"; readonly targets: readonly [number, number] }
  | { readonly kind: "jump"; readonly target: number };

/** Where the reading stands: what holds around it. */
interface Position {
  readonly isStart: boolean;
  readonly isEnd: boolean;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** All places of the program that one can be at after a piece of text. */
interface State {
  /** Steps that wait for a character. */
  readonly waiting: readonly number[];
  /** The whole expression has matched, whatever follows. */
  readonly isMatch: boolean;
  readonly isMatchAtEnd: boolean;
  /** By the next ASCII character; built as needed. */
  readonly next: (State | undefined)[];
}

/** Beyond that many states they are built anew; patterns that people write have a handful. */
const MAX_STATES = 1000;
/** `{1000}` a thousand times over. */
const MAX_STEPS = 1_000_000;
const NOWHERE: State = { waiting: [], isMatch: false, isMatchAtEnd: false, next: [] };

/**
 * Matches a text from its beginning by following all possibilities at once. What follows from a set of places and a
 * character is remembered, so that most characters cost one look-up.
 */
export class Automaton {
  readonly #program: readonly Step[];
  /** With word boundaries a place depends on both neighbours, and nothing can be remembered. */
  readonly #hasBoundaries: boolean;
  #states = new Map<string, State>();
  #initial: State | undefined;

  /** @throws {RangeError} for an expression whose repetitions make it too large */
  constructor(nodes: readonly ExpressionNode[]) {
    const program: Step[] = [];
    emit(nodes, program);
    program.push({ kind: "match" });
    this.#program = program;
    this.#hasBoundaries = program.some(({ kind }) => kind === "word-boundary");
  }

  matches(text: string): boolean {
    if (this.#hasBoundaries) return this.#matchesSlowly(text);
    this.#initial ??= this.#close([0], true);
    let state = this.#initial;
    for (let at = 0; at < text.length; at++) {
      if (state.isMatch) return true;
      let point = text.charCodeAt(at);
      if (point < 0x80) {
        const known = state.next[point];
        if (known !== undefined) {
          state = known;
          continue;
        }
      } else if (point >= 0xd800 && point < 0xdc00) {
        point = text.codePointAt(at) as number;
        if (point > 0xffff) at++;
      }
      const following = this.#step(state, point);
      if (point < 0x80) state.next[point] = following;
      if (following === NOWHERE) return false;
      state = following;
    }
    return state.isMatch || state.isMatchAtEnd;
  }

  #step(state: State, point: number): State {
    const places = this.#after(state.waiting, point);
    if (places.length === 0) return NOWHERE;
    const key = places.join(",");
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= MAX_STATES) {
      this.#states = new Map();
      this.#initial = undefined;
    }
    const closed = this.#close(places, false);
    this.#states.set(key, closed);
    return closed;
  }

  #after(waiting: readonly number[], point: number): readonly number[] {
    return waiting.flatMap((place) => {
      const step = this.#program[place];
      return step?.kind === "one" && step.test(point) ? [place + 1] : [];
    });
  }

  #close(places: readonly number[], isStart: boolean): State {
    const around = { isStart, before: undefined, after: undefined };
    const inside = this.#follow(places, { ...around, isEnd: false });
    const atEnd = this.#follow(places, { ...around, isEnd: true });
    return { waiting: inside.waiting, isMatch: inside.isMatch, isMatchAtEnd: atEnd.isMatch, next: [] };
  }

  #matchesSlowly(text: string): boolean {
    const points = Array.from(text, (char) => char.codePointAt(0) as number);
    let places: readonly number[] = [0];
    for (let at = 0; at <= points.length; at++) {
      const position = {
        isStart: at === 0,
        isEnd: at === points.length,
        before: points[at - 1],
        after: points[at],
      };
      const { waiting, isMatch } = this.#follow(places, position);
      if (isMatch) return true;
      places = position.isEnd ? [] : this.#after(waiting, points[at] as number);
    }
    return false;
  }

  /** Everything that can be reached without a character. */
  #follow(
    places: readonly number[],
    position: Position,
  ): { readonly waiting: readonly number[]; readonly isMatch: boolean } {
    const seen = new Set<number>();
    const waiting: number[] = [];
    let isMatch = false;
    const open = [...places];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (seen.has(place)) continue;
      seen.add(place);
      const step = this.#program[place] as Step;
      if (step.kind === "match") isMatch = true;
      else if (step.kind === "one") waiting.push(place);
      else if (step.kind === "jump") open.push(step.target);
      else if (step.kind === "split") open.push(...step.targets);
      else if (holds(step, position)) open.push(place + 1);
    }
    return { waiting: waiting.sort((a, b) => a - b), isMatch };
  }
}

function holds(
  step: Extract<ExpressionNode, { readonly kind: "start" | "end" | "word-boundary" }>,
  { isStart, isEnd, before, after }: Position,
): boolean {
  if (step.kind === "word-boundary") return (isWord(before) !== isWord(after)) === step.wanted;
  return step.kind === "start" ? isStart : isEnd;
}

function emit(nodes: readonly ExpressionNode[], program: Step[]): void {
  if (program.length > MAX_STEPS) throw new RangeError("Cannot compile pattern: it repeats too much");
  for (const node of nodes) {
    switch (node.kind) {
      case "one":
      case "start":
      case "end":
      case "word-boundary":
        program.push(node);
        break;
      case "group":
        emit(node.body, program);
        break;
      case "repeat":
        emitRepeat(node, program);
        break;
      case "either":
        emitEither(node.branches, program);
        break;
      case "optional":
      case "star": {
        const split = program.length;
        program.push({ kind: "match" });
        emit(node.body, program);
        if (node.kind === "star") program.push({ kind: "jump", target: split });
        program[split] = { kind: "split", targets: [split + 1, program.length] };
        break;
      }
      default:
        node satisfies never;
    }
  }
}

function emitRepeat({ min, max, body }: Extract<ExpressionNode, { kind: "repeat" }>, program: Step[]): void {
  for (let i = 0; i < min; i++) emit(body, program);
  if (max === Number.POSITIVE_INFINITY) emit([{ kind: "star", body }], program);
  else for (let i = min; i < max; i++) emit([{ kind: "optional", body }], program);
}

function emitEither(branches: readonly (readonly ExpressionNode[])[], program: Step[]): void {
  const jumps: number[] = [];
  for (const [index, branch] of branches.entries()) {
    const split = program.length;
    if (index < branches.length - 1) program.push({ kind: "match" });
    emit(branch, program);
    jumps.push(program.length);
    program.push({ kind: "match" });
    if (index < branches.length - 1) program[split] = { kind: "split", targets: [split + 1, program.length] };
  }
  for (const place of jumps) program[place] = { kind: "jump", target: program.length };
}
