import type { Paint } from "../paint.ts";
import { oneLine } from "../text.ts";
import { displayWidth, truncate } from "./display-width.ts";
import { formatBytes, formatSeconds } from "./format.ts";
import { plainLogText } from "./log-text.ts";
import type { FrameLine } from "./screen.ts";
import type { ItemState, StepState } from "./step-state.ts";

/** Lines shown below a running step: the last it wrote, and the transfers it has. */
const MAX_LOG_LINES = 6;
const MAX_ITEMS = 8;

export interface FrameInput {
  readonly steps: readonly StepState[];
  readonly verb: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly columns: number;
  /** Most lines that may be used; Infinity for the picture that stays. */
  readonly maxLines: number;
  readonly paint: Paint;
  readonly isOver: boolean;
}

/**
 * The picture of a run: a header, then the steps in the order they started, with the last lines and transfers of
 * those that run. Where not all fits, the oldest finished steps go first, then details, then running steps.
 */
export function renderFrame(input: FrameInput): FrameLine[] {
  const { steps, maxLines } = input;
  const running = steps.filter(({ outcome }) => outcome === "running");
  const shownRunning = running.slice(0, Math.max(0, maxLines - 1));
  let room = maxLines - 1 - shownRunning.length;

  const wanted = shownRunning.map((step) => detailLines(step, input));
  const granted = shareOut(
    wanted.map((lines) => lines.length),
    room,
  );
  room -= granted.reduce((sum, count) => sum + count, 0);

  const finished = steps.filter(({ outcome }) => outcome !== "running");
  const shownFinished = new Set(finished.slice(Math.max(0, finished.length - Math.max(0, room))));
  const lines = [headerLine(input)];
  for (const step of steps) {
    const index = shownRunning.indexOf(step);
    if (index >= 0) {
      lines.push(stepLine(step, input));
      // The newest details are at the end.
      const details = wanted[index] ?? [];
      lines.push(...details.slice(details.length - (granted[index] ?? 0)));
    } else if (shownFinished.has(step)) {
      lines.push(stepLine(step, input));
    }
  }
  return lines;
}

/** Gives each as many as it wants, or an equal share of what there is. */
function shareOut(wanted: readonly number[], room: number): number[] {
  const granted = wanted.map(() => 0);
  let left = Math.max(
    0,
    Math.min(
      room,
      wanted.reduce((sum, count) => sum + count, 0),
    ),
  );
  while (left > 0) {
    for (let index = 0; index < wanted.length && left > 0; index++) {
      if ((granted[index] as number) >= (wanted[index] as number)) continue;
      granted[index] = (granted[index] as number) + 1;
      left--;
    }
  }
  return granted;
}

function headerLine({ steps, verb, startedMs, nowMs, isOver, columns, paint }: FrameInput): FrameLine {
  const finished = steps.filter(({ outcome }) => outcome !== "running").length;
  const isDone = steps.every(({ outcome }) => outcome === "done" || outcome === "cached");
  const end = isOver && isDone ? " FINISHED" : "";
  const text = truncate(
    `[+] ${verb} ${formatSeconds(nowMs - startedMs)} (${finished}/${steps.length})${end}`,
    columns - 1,
  );
  return { text: isOver ? paint.blue(text) : text, width: displayWidth(text) };
}

const OUTCOME_WORD = {
  running: "",
  done: "",
  cached: "CACHED ",
  failed: "ERROR ",
  canceled: "CANCELED ",
} as const;

function stepLine(step: StepState, input: FrameInput): FrameLine {
  const { paint, nowMs } = input;
  const note = step.note === undefined ? "" : ` (${oneLine(step.note)})`;
  const text = ` => ${OUTCOME_WORD[step.outcome]}${oneLine(step.name)}${note}`;
  const brush = {
    running: (line: string) => line,
    done: paint.blue,
    cached: paint.blue,
    failed: paint.red,
    canceled: paint.yellow,
  }[step.outcome];
  return timedLine(text, (step.finishedMs ?? nowMs) - step.startedMs, input, brush);
}

function detailLines(step: StepState, input: FrameInput): FrameLine[] {
  const items = [...step.items.values()];
  const moving = items.filter(({ done, total }) => total === undefined || done < total);
  const shownItems = moving.slice(0, MAX_ITEMS).map((item) => itemLine(item, input));
  const open = [step.logs.stdout.open, step.logs.stderr.open].filter((text) => text.trim() !== "");
  const texts = [...step.lines.map(({ text }) => text), ...open].slice(-MAX_LOG_LINES);
  return [...shownItems, ...texts.map((text) => logLine(text, input))];
}

function itemLine(item: ItemState, input: FrameInput): FrameLine {
  const total = item.total === undefined ? "" : ` / ${formatBytes(item.total)}`;
  const rate = item.rate > 0 ? `  ${formatBytes(item.rate)}/s` : "";
  const text = ` => => ${oneLine(item.item)} ${formatBytes(item.done)}${total}${rate}`;
  return timedLine(text, input.nowMs - item.startedMs, input, (line) => line);
}

function logLine(text: string, { columns, paint }: FrameInput): FrameLine {
  const shown = truncate(` => => # ${plainLogText(text)}`, columns - 1);
  return { text: paint.dim(shown), width: displayWidth(shown) };
}

/** Text at the left, the time at the right edge. The last column stays free: writing there breaks lines on some terminals. */
function timedLine(
  text: string,
  durationMs: number,
  { columns }: FrameInput,
  brush: (text: string) => string,
): FrameLine {
  const time = formatSeconds(durationMs);
  const room = columns - 1 - time.length - 1;
  if (room < 8) {
    const shown = truncate(text, columns - 1);
    return { text: brush(shown), width: displayWidth(shown) };
  }
  const shown = truncate(text, room);
  const gap = " ".repeat(room - displayWidth(shown) + 1);
  return { text: brush(`${shown}${gap}${time}`), width: columns - 1 };
}
