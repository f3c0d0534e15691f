import { displayWidth } from "../progress/display-width.ts";
import { oneLine } from "../text.ts";

const MIN_CELL = 10;
const GAP = 3;

/** Lines of a table: each column as wide as its widest cell, like the tables of Docker's commands. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows.map((row) => row.map(oneLine))];
  const widths = header.map((_, column) =>
    Math.max(MIN_CELL, ...cells.map((row) => displayWidth(row[column] ?? "") + GAP)),
  );
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(cell))))
      .join(""),
  );
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}
