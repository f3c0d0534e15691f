import type { ProgressEvent } from "../../builder/events.ts";
import { LineSplitter } from "./line-splitter.ts";

/** Lines kept of each step's beginning and end: what is shown of one that fails, or that writes very much. */
const HEAD_LINES = 5;
const TAIL_LINES = 200;
/** Rates are averages over about this long. */
const RATE_WINDOW_MS = 2000;

export interface LogLine {
  readonly atMs: number;
  readonly text: string;
}

/** Bytes of one thing that a step moves. */
export interface ItemState {
  readonly item: string;
  readonly startedMs: number;
  readonly done: number;
  readonly total: number | undefined;
  readonly changedMs: number;
  /** Bytes a second, lately. */
  readonly rate: number;
  readonly samples: readonly { readonly atMs: number; readonly done: number }[];
}

/** A step as far as it has been told. */
export interface StepState {
  readonly vertex: string;
  /** 1 for the first step that started. */
  readonly number: number;
  readonly name: string;
  readonly startedMs: number;
  readonly finishedMs: number | undefined;
  readonly outcome: "running" | "done" | "cached" | "failed" | "canceled";
  readonly note: string | undefined;
  /** The first lines it wrote. */
  readonly head: readonly LogLine[];
  /** The last lines it wrote, oldest first. */
  readonly lines: readonly LogLine[];
  /** How many it wrote in all. */
  readonly lineCount: number;
  readonly items: ReadonlyMap<string, ItemState>;
  readonly logs: Readonly<Record<"stdout" | "stderr", LineSplitter>>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type MutableStep = Mutable<Omit<StepState, "head" | "lines" | "items">> & {
  head: LogLine[];
  lines: LogLine[];
  items: Map<string, ItemState>;
};

/** What applying an event brought: the step it changed, and the lines it ended. */
export interface Change {
  readonly step: StepState;
  readonly newLines: readonly LogLine[];
}

/** Gathers the events of a run into the state of its steps. All views share it; none draws here. */
export class StepTracker {
  readonly #steps = new Map<string, MutableStep>();
  readonly #warnings: string[] = [];

  /** In the order in which they started. */
  get steps(): readonly StepState[] {
    return [...this.#steps.values()];
  }

  /** Each once, in the order of their coming. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  find(vertex: string): StepState | undefined {
    return this.#steps.get(vertex);
  }

  /** @returns undefined for an event of no step, or of one that was never started */
  apply(event: ProgressEvent, nowMs: number): Change | undefined {
    if (event.kind === "warning") {
      if (!this.#warnings.includes(event.message)) this.#warnings.push(event.message);
      return undefined;
    }
    if (event.kind === "step-started") {
      const step = this.#steps.get(event.vertex) ?? this.#add(event.vertex, event.name, event.atMs);
      return { step, newLines: [] };
    }
    const step = this.#steps.get(event.vertex);
    if (step === undefined) return undefined;
    switch (event.kind) {
      case "step-output": {
        const lines = step.logs[event.stream].push(event.chunk);
        return { step, newLines: keepLines(step, lines, nowMs) };
      }
      case "step-bytes":
        step.items.set(event.item, nextItem(step.items.get(event.item), event, nowMs));
        return { step, newLines: [] };
      case "step-finished": {
        step.finishedMs = event.atMs;
        step.outcome = event.outcome;
        step.note = event.note;
        return {
          step,
          newLines: keepLines(step, [...step.logs.stdout.flush(), ...step.logs.stderr.flush()], nowMs),
        };
      }
      default:
        return event satisfies never;
    }
  }

  #add(vertex: string, name: string, startedMs: number): MutableStep {
    const step: MutableStep = {
      vertex,
      number: this.#steps.size + 1,
      name,
      startedMs,
      finishedMs: undefined,
      outcome: "running",
      note: undefined,
      head: [],
      lines: [],
      lineCount: 0,
      items: new Map(),
      logs: { stdout: new LineSplitter(), stderr: new LineSplitter() },
    };
    this.#steps.set(vertex, step);
    return step;
  }
}

function keepLines(step: MutableStep, lines: readonly string[], nowMs: number): LogLine[] {
  const added = lines.map((text) => ({ atMs: nowMs - step.startedMs, text }));
  if (step.head.length < HEAD_LINES) step.head.push(...added.slice(0, HEAD_LINES - step.head.length));
  step.lines.push(...added.slice(-TAIL_LINES));
  if (step.lines.length > TAIL_LINES) step.lines.splice(0, step.lines.length - TAIL_LINES);
  step.lineCount += added.length;
  return added;
}

function nextItem(
  before: ItemState | undefined,
  event: { readonly item: string; readonly done: number; readonly total?: number },
  nowMs: number,
): ItemState {
  const earlier = before?.samples.filter(({ atMs }) => nowMs - atMs <= RATE_WINDOW_MS) ?? [];
  const lastSample = earlier[earlier.length - 1];
  // Ten samples a second tell enough, however often bytes are reported.
  const isDue = lastSample === undefined || nowMs - lastSample.atMs >= 100;
  const samples = isDue ? [...earlier, { atMs: nowMs, done: event.done }] : earlier;
  const [first] = samples;
  const elapsedMs = first === undefined ? 0 : nowMs - first.atMs;
  const rate = first === undefined || elapsedMs === 0 ? 0 : ((event.done - first.done) / elapsedMs) * 1000;
  return {
    item: event.item,
    startedMs: before?.startedMs ?? nowMs,
    done: event.done,
    total: event.total ?? before?.total,
    changedMs: nowMs,
    rate,
    samples,
  };
}
