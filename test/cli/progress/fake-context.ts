import type { ProgressEvent } from "../../../src/builder/events.ts";
import type { TerminalHooks, ViewContext } from "../../../src/cli/progress/view.ts";
import { FakeOutput } from "../fake-output.ts";

/** A view's surroundings with a clock that only `advance` moves; timers fire as it passes them. */
export class FakeContext implements ViewContext {
  readonly output: FakeOutput;
  readonly settings = { noColor: true, dumbTerminal: false };
  readonly verb = "Building";
  readonly logCommand = (step: number): string => `strake logs 3f9a21bc ${step}`;
  hooks: TerminalHooks | undefined;
  timers = 0;
  #nowMs = 1000;
  readonly #due: { atMs: number; readonly intervalMs: number; readonly callback: () => void }[] = [];

  constructor(size?: { readonly columns: number; readonly rows: number }) {
    this.output = new FakeOutput(size);
  }

  readonly nowMs = (): number => this.#nowMs;

  readonly every = (intervalMs: number, callback: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + intervalMs, intervalMs, callback };
    this.#due.push(timer);
    this.timers++;
    return () => {
      this.#due.splice(this.#due.indexOf(timer), 1);
      this.timers--;
    };
  };

  readonly guardTerminal = (hooks: TerminalHooks): (() => void) => {
    this.hooks = hooks;
    return () => {
      this.hooks = undefined;
    };
  };

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#due.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#nowMs = next.atMs;
      next.atMs += next.intervalMs;
      next.callback();
    }
    this.#nowMs = untilMs;
  }

  started(vertex: string, name: string): ProgressEvent {
    return { kind: "step-started", vertex, name, atMs: this.#nowMs };
  }

  finished(
    vertex: string,
    outcome: "done" | "cached" | "failed" | "canceled" = "done",
    note?: string,
  ): ProgressEvent {
    const event = { kind: "step-finished", vertex, atMs: this.#nowMs, outcome } as const;
    return note === undefined ? event : { ...event, note };
  }
}

export function wrote(vertex: string, text: string): ProgressEvent {
  return { kind: "step-output", vertex, stream: "stdout", chunk: Buffer.from(text) };
}

export function moved(vertex: string, item: string, done: number, total?: number): ProgressEvent {
  return { kind: "step-bytes", vertex, item, done, ...(total === undefined ? {} : { total }) };
}
