import type { CacheRecord } from "../../cache/index.ts";
import { defineCommand } from "../command.ts";
import { CliError } from "../error.ts";
import { openCache } from "../open-cache.ts";
import { openStore } from "../open-store.ts";
import { formatSeconds } from "../progress/format.ts";
import { oneLine, sanitize } from "../text.ts";

export const cacheShow = defineCommand({
  operands: "KEY",
  count: { min: 1, max: 1 },
  details: ["KEY may be the beginning of one, as strake cache ls lists them."],
  options: { json: { type: "boolean", summary: "As JSON" } },
  examples: [
    {
      command: "strake cache show --json 817b34 | jq .ingredients",
      summary: "What the key of a step was made of",
    },
  ],
  async run({ options, positionals: [wanted = ""] }, context) {
    await using store = await openStore(context);
    const cache = await openCache(store);
    const prefix = wanted.replace(/^sha256:/, "");
    const found: CacheRecord[] = [];
    for await (const { record } of cache.list()) {
      if (prefix !== "" && record.key.startsWith(`sha256:${prefix}`)) found.push(record);
    }
    const [record, another] = found;
    if (record === undefined) {
      throw new CliError("CACHE_RECORD_NOT_FOUND", `Cannot find "${wanted}" in the build cache`, {
        hint: "strake cache ls lists the keys",
      });
    }
    if (another !== undefined) {
      throw new CliError(
        "CACHE_RECORD_NOT_FOUND",
        `Cannot tell which key "${wanted}" is: ${found.length} begin so`,
        {
          hint: "Give more of its digits",
        },
      );
    }
    context.stdout.write(options.json ? `${JSON.stringify(record, null, 2)}\n` : describe(record));
    return undefined;
  },
});

function describe({ key, step, result, createdAt, durationMs, ingredients }: CacheRecord): string {
  const facts = [
    ["Key", key],
    ["Step", oneLine(step)],
    ["Layer", result.diffId],
    ["Files", result.treeId],
    ["Made", `${createdAt} in ${formatSeconds(durationMs)}`],
  ];
  const lines = facts.map(([name, value]) => `${`${name}:`.padEnd(8)}${value}\n`);
  return `${lines.join("")}\nMade of:\n${sanitize(JSON.stringify(ingredients, null, 2))}\n`;
}
