import { displayWidth } from "../../progress/display-width.ts";
import { oneLine } from "../../text.ts";

/** Rows in columns as buildx prints them: all cells but a row's last are filled up, empty ones too. */
export function tabulate(rows: readonly (readonly string[])[], gap: number): string {
  const cells = rows.map((row) => row.map(oneLine));
  const count = Math.max(...cells.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...cells.map((row) => displayWidth(row[column] ?? "") + gap)),
  );
  const fill = (cell: string, column: number, { length }: readonly string[]): string =>
    column === length - 1 ? cell : cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(cell)));
  return cells.map((row) => `${row.map((cell, column) => fill(cell, column, row)).join("")}\n`).join("");
}
