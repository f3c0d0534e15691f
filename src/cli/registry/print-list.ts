import type { CommandContext } from "../command.ts";
import { usageError } from "../error.ts";
import { oneLine } from "../text.ts";

/** Prints names as they come, page by page; as JSON when all are there. @throws {CliError} USAGE */
export async function printList(
  pages: AsyncIterable<readonly string[]>,
  { limit, json }: { readonly limit: string | undefined; readonly json: boolean },
  { stdout }: Pick<CommandContext, "stdout">,
): Promise<void> {
  const all: string[] = [];
  let left = limit === undefined ? Number.POSITIVE_INFINITY : parseCount(limit);
  if (left > 0) {
    for await (const page of pages) {
      const names = page.slice(0, left);
      left -= names.length;
      if (json) all.push(...names);
      else await stdout.writeBytes(Buffer.from(names.map((name) => `${oneLine(name)}\n`).join("")));
      if (left <= 0) break;
    }
  }
  if (json) stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(`Cannot read --limit "${text}": it is a number`);
}
