import type { ListedRecord } from "../../cache/index.ts";
import { shortDigest } from "../../oci/index.ts";
import { defineCommand } from "../command.ts";
import { openCache } from "../open-cache.ts";
import { openStore } from "../open-store.ts";
import { truncate } from "../progress/display-width.ts";
import { formatBytes, formatSeconds } from "../progress/format.ts";
import { formatAgo } from "../tables/ago.ts";
import { formatTable } from "../tables/table.ts";
import { oneLine } from "../text.ts";

const STEP_CELLS = 60;

export const cacheLs = defineCommand({
  operands: "",
  count: { min: 0, max: 0 },
  options: {
    quiet: { type: "boolean", short: "q", summary: "Only keys" },
    "no-trunc": { type: "boolean", summary: "Whole keys and steps" },
    json: { type: "boolean", summary: "As JSON" },
  },
  examples: [{ command: "strake cache ls", summary: "Steps, the last used first" }],
  async run({ options }, context) {
    await using store = await openStore(context);
    const cache = await openCache(store);
    const listed: (ListedRecord & { readonly size: number | undefined })[] = [];
    for await (const found of cache.list()) {
      const info = await store.layers.info(found.record.result.diffId);
      listed.push({ ...found, size: info?.tarSize });
    }
    listed.sort((a, b) => b.lastUsedAt.getTime() - a.lastUsedAt.getTime());
    const { stdout } = context;
    const shownKey = (key: ListedRecord["record"]["key"]): string =>
      options["no-trunc"] ? key : shortDigest(key);
    if (options.quiet) {
      stdout.write(listed.map(({ record }) => `${shownKey(record.key)}\n`).join(""));
    } else if (options.json) {
      stdout.write(`${JSON.stringify(listed, null, 2)}\n`);
    } else {
      const rows = listed.map(({ record, lastUsedAt, size }) => [
        shownKey(record.key),
        options["no-trunc"] ? record.step : truncate(oneLine(record.step), STEP_CELLS),
        formatAgo(lastUsedAt, context.now()),
        formatSeconds(record.durationMs),
        size === undefined ? "gone" : formatBytes(size),
      ]);
      stdout.write(formatTable(["KEY", "STEP", "LAST USED", "TOOK", "SIZE"], rows));
    }
    return undefined;
  },
});
