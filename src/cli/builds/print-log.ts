import { createReadStream, existsSync } from "node:fs";
import type { RecordPaths, StepRecord } from "../../builder/records/index.ts";
import type { CommandContext } from "../command.ts";
import { formatSeconds } from "../progress/format.ts";
import { LineSplitter } from "../progress/line-splitter.ts";
import { colouredLogText } from "../progress/log-text.ts";
import { oneLine, sanitize } from "../text.ts";

type LogContext = Pick<CommandContext, "stdout" | "settings" | "signal">;

/** Steps with their whole output, the way the plain progress shows them. */
export async function printSteps(
  steps: readonly StepRecord[],
  paths: RecordPaths,
  context: LogContext,
): Promise<void> {
  const { stdout } = context;
  for (const step of steps) {
    stdout.write(`#${step.number} ${oneLine(step.name)}\n`);
    const endsOpen = await printLog(step, paths, context);
    stdout.write(`${endsOpen ? "\n" : ""}#${step.number} ${endOf(step)}\n\n`);
  }
}

/**
 * Everything that a step wrote: as it was for a file or a program, and for a terminal without what would move its cursor.
 * @returns whether the last line has no end
 */
export async function printLog(
  step: StepRecord,
  paths: RecordPaths,
  { stdout, settings, signal }: LogContext,
): Promise<boolean> {
  const path = paths.log(step.number);
  let endsOpen = false;
  if (existsSync(path)) {
    const splitter = new LineSplitter();
    const shown = (line: string): string => `${settings.noColor ? sanitize(line) : colouredLogText(line)}\n`;
    for await (const chunk of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
      endsOpen = !stdout.isTTY && chunk[chunk.length - 1] !== 0x0a;
      await stdout.writeBytes(stdout.isTTY ? Buffer.from(splitter.push(chunk).map(shown).join("")) : chunk);
    }
    if (stdout.isTTY) stdout.write(splitter.flush().map(shown).join(""));
  }
  if (step.droppedBytes > 0) {
    stdout.write(`${endsOpen ? "\n" : ""}… ${step.droppedBytes} bytes more, which no log has room for\n`);
    endsOpen = false;
  }
  return endsOpen;
}

function endOf({ outcome, note, durationMs }: StepRecord): string {
  const word = outcome === "failed" ? "ERROR" : outcome.toUpperCase();
  const took = durationMs === undefined || outcome === "cached" ? "" : ` ${formatSeconds(durationMs)}`;
  return `${word}${took}${note === undefined ? "" : ` (${oneLine(note)})`}`;
}
