import type { ProgressEvent } from "../../builder/events.ts";
import { oneLine, sanitize } from "../text.ts";
import { failureReport, leftOut, warningReport } from "./end-report.ts";
import { formatBytes, formatSeconds } from "./format.ts";
import { colouredLogText } from "./log-text.ts";
import { type ItemState, type LogLine, type StepState, StepTracker } from "./step-state.ts";
import type { ProgressView, ViewContext } from "./view.ts";

/** A step that has the word gives it up to one that waits, once it has been silent for this long … */
const SILENCE_MS = 2000;
/** … or when lines have waited for this long. */
const PATIENCE_MS = 8000;
const CHECK_INTERVAL_MS = 500;
/** How often a transfer that is under way is reported. */
const TRANSFER_INTERVAL_MS = 5000;
/** A step may write so many lines, or so many characters of them, as they come; of what follows the end is shown. */
const MAX_HEAD_LINES = 5000;
const MAX_HEAD_LENGTH = 1 << 20;

/** How much of a step's output was shown. */
interface Shown {
  lines: number;
  length: number;
  isFull: boolean;
}

interface Waiting {
  readonly sinceMs: number;
  readonly lines: string[];
}

/**
 * Lines that are only ever added, for logs: `#5 [build 2/5] RUN npm ci`, `#5 0.312 text`, `#5 DONE 1.2s`.
 * Steps that run side by side take turns, so that each one's lines stay together: one step has the word, the lines
 * of others wait until it ends, falls silent, or has kept them waiting for too long. `#5 ...` ends an unfinished turn.
 */
export function createPlainView(context: ViewContext): ProgressView {
  const view = new PlainView(context);
  const stop = context.every(CHECK_INTERVAL_MS, () => view.check());
  let isClosed = false;
  return {
    onEvent: (event) => {
      if (!isClosed) view.take(event);
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      stop();
      view.end();
    },
  };
}

class PlainView {
  readonly #context: ViewContext;
  readonly #tracker = new StepTracker();
  readonly #waiting = new Map<StepState, Waiting>();
  readonly #reported = new Map<string, number>();
  readonly #shown = new Map<StepState, Shown>();
  #speaker: StepState | undefined;
  #spokenMs = 0;
  #hasWritten = false;

  constructor(context: ViewContext) {
    this.#context = context;
  }

  take(event: ProgressEvent): void {
    const nowMs = this.#context.nowMs();
    const change = this.#tracker.apply(event, nowMs);
    if (change === undefined) return;
    const { step } = change;
    const lines = this.#logLines(step, change.newLines);
    if (event.kind === "step-bytes") lines.push(...this.#transferLines(step, event.item, nowMs));
    if (event.kind === "step-finished") lines.push(...this.#tail(step), finishLine(step));

    if (this.#speaker === undefined) this.#giveWord(step, nowMs);
    if (this.#speaker === step) {
      this.#say(step, lines, nowMs);
    } else {
      const waiting = this.#waiting.get(step) ?? { sinceMs: nowMs, lines: [] };
      waiting.lines.push(...lines);
      this.#waiting.set(step, waiting);
    }
    // What is over is told at once: its lines can't grow any more.
    if (step.finishedMs !== undefined) {
      if (this.#speaker !== step) this.#giveWord(step, nowMs);
      this.#speaker = undefined;
      this.#write("\n");
    } else {
      this.check();
    }
  }

  /** Lets a step that waits speak, when the one that has the word is silent or lines wait for too long. */
  check(): void {
    const nowMs = this.#context.nowMs();
    let next: StepState | undefined;
    let sinceMs = Number.POSITIVE_INFINITY;
    for (const [step, waiting] of this.#waiting) {
      if (waiting.sinceMs >= sinceMs) continue;
      next = step;
      sinceMs = waiting.sinceMs;
    }
    if (next === undefined) return;
    const isFree = this.#speaker === undefined || nowMs - this.#spokenMs >= SILENCE_MS;
    if (isFree || nowMs - sinceMs >= PATIENCE_MS) this.#giveWord(next, nowMs);
  }

  end(): void {
    const nowMs = this.#context.nowMs();
    for (const step of [...this.#waiting.keys()]) this.#giveWord(step, nowMs);
    if (this.#speaker !== undefined) this.#write("\n");
    for (const line of this.#report()) this.#write(`${line}\n`);
  }

  #giveWord(step: StepState, nowMs: number): void {
    if (this.#speaker === step) return;
    if (this.#speaker !== undefined) this.#write(`#${this.#speaker.number} ...\n\n`);
    this.#speaker = step;
    this.#spokenMs = nowMs;
    this.#write(`#${step.number} ${oneLine(step.name)}\n`);
    const waiting = this.#waiting.get(step);
    this.#waiting.delete(step);
    this.#say(step, waiting?.lines ?? [], nowMs);
  }

  #say(step: StepState, lines: readonly string[], nowMs: number): void {
    if (lines.length === 0) return;
    this.#spokenMs = nowMs;
    this.#write(lines.map((line) => `#${step.number} ${line}\n`).join(""));
  }

  #write(text: string): void {
    // No blank line at the very top.
    if (text === "\n" && !this.#hasWritten) return;
    this.#hasWritten = true;
    this.#context.output.write(text);
  }

  #report(): string[] {
    const { warnings, steps } = this.#tracker;
    return [...warningReport(warnings), ...failureReport(steps, this.#context.logCommand)];
  }

  /** Lines as long as there is room for them; then one that says so. */
  #logLines(step: StepState, lines: readonly LogLine[]): string[] {
    if (lines.length === 0) return [];
    const shown = this.#shown.get(step) ?? { lines: 0, length: 0, isFull: false };
    this.#shown.set(step, shown);
    const texts: string[] = [];
    for (const line of lines) {
      if (shown.isFull) break;
      shown.isFull = shown.lines >= MAX_HEAD_LINES || shown.length >= MAX_HEAD_LENGTH;
      if (shown.isFull) {
        const command = this.#context.logCommand(step.number);
        texts.push(
          `… much output: its end will follow${command === undefined ? "" : `, all of it: ${command}`}`,
        );
        break;
      }
      shown.lines++;
      shown.length += line.text.length;
      texts.push(this.#logLine(line));
    }
    return texts;
  }

  /** The end of an output that was too long to be shown as it came. */
  #tail(step: StepState): string[] {
    const shown = this.#shown.get(step);
    if (shown?.isFull !== true) return [];
    const lines = step.lines.slice(-Math.min(step.lines.length, step.lineCount - shown.lines));
    const left = step.lineCount - shown.lines - lines.length;
    const gap = left === 0 ? [] : [leftOut(left, this.#context.logCommand(step.number))];
    return [...gap, ...lines.map((line) => this.#logLine(line))];
  }

  #logLine({ atMs, text }: LogLine): string {
    const shown = this.#context.settings.noColor ? sanitize(text) : colouredLogText(text);
    return `${(atMs / 1000).toFixed(3)} ${shown}`.trimEnd();
  }

  /** A transfer is told when it is complete, and now and then while it lasts. */
  #transferLines(step: StepState, item: string, nowMs: number): string[] {
    const state = step.items.get(item);
    if (state === undefined) return [];
    const key = `${step.vertex}\n${item}`;
    const isComplete = state.total !== undefined && state.done >= state.total;
    const reportedMs = this.#reported.get(key) ?? state.startedMs;
    if (reportedMs === Number.POSITIVE_INFINITY) return [];
    if (!isComplete && nowMs - reportedMs < TRANSFER_INTERVAL_MS) return [];
    this.#reported.set(key, isComplete ? Number.POSITIVE_INFINITY : nowMs);
    return [transferText(state, nowMs, isComplete)];
  }
}

function transferText(state: ItemState, nowMs: number, isComplete: boolean): string {
  const total = state.total === undefined ? "" : ` / ${formatBytes(state.total)}`;
  const elapsed = formatSeconds(nowMs - state.startedMs);
  return `${oneLine(state.item)} ${formatBytes(state.done)}${total} ${elapsed}${isComplete ? " done" : ""}`;
}

function finishLine(step: StepState): string {
  const elapsed = formatSeconds((step.finishedMs ?? step.startedMs) - step.startedMs);
  const note = step.note === undefined ? "" : ` (${oneLine(step.note)})`;
  switch (step.outcome) {
    case "cached":
      return `CACHED${note}`;
    case "failed":
      return `ERROR${note} ${elapsed}`;
    case "canceled":
      return `CANCELED${note}`;
    default:
      return `DONE ${elapsed}${note}`;
  }
}
