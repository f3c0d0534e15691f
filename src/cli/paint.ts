import type { Settings } from "./environment.ts";
import type { Output } from "./output.ts";

type Brush = (text: string) => string;

/** Colours for one output; each returns its text unchanged where there must be none. */
export interface Paint {
  readonly red: Brush;
  readonly green: Brush;
  readonly yellow: Brush;
  readonly blue: Brush;
  readonly cyan: Brush;
  readonly dim: Brush;
  readonly bold: Brush;
}

/** Colours when `output` is a terminal that wants them. */
export function createPaint(output: Pick<Output, "isTTY">, settings: Pick<Settings, "noColor">): Paint {
  const isOn = output.isTTY && !settings.noColor;
  const brush = (open: number, close: number): Brush =>
    isOn ? (text) => `\u001b[${open}m${text}\u001b[${close}m` : (text) => text;
  return {
    red: brush(31, 39),
    green: brush(32, 39),
    yellow: brush(33, 39),
    blue: brush(34, 39),
    cyan: brush(36, 39),
    dim: brush(2, 22),
    bold: brush(1, 22),
  };
}
