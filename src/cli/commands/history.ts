import { shortDigest } from "../../oci/index.ts";
import type { ImageDescription } from "../../store/index.ts";
import { defineCommand } from "../command.ts";
import { PLATFORM_FLAG } from "../images/find-images.ts";
import { viewImage } from "../images/view-image.ts";
import { openWorkbench } from "../images/workbench.ts";
import { truncate } from "../progress/display-width.ts";
import { formatBytes } from "../progress/format.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";
import { formatAgo } from "../tables/ago.ts";
import { formatTable } from "../tables/table.ts";
import { oneLine } from "../text.ts";

/** As wide as Docker shows instructions. */
const INSTRUCTION_CELLS = 45;

interface HistoryRow {
  readonly created: string | undefined;
  readonly createdBy: string;
  readonly comment: string;
  readonly isEmpty: boolean;
  /** The layer it made; undefined for one that made none. */
  readonly diffId: string | undefined;
  readonly size: number;
}

export const history = defineCommand({
  operands: "IMAGE",
  count: { min: 1, max: 1 },
  details: [
    "An image of the store; or docker://NAME in a registry, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME].",
    "SIZE is that of a layer's archive, or of its compressed blob where it was never unpacked here.",
  ],
  options: {
    "no-trunc": { type: "boolean", summary: "Whole instructions and IDs" },
    quiet: { type: "boolean", short: "q", summary: "Only the image ID" },
    json: { type: "boolean", summary: "As JSON" },
    platform: PLATFORM_FLAG,
    ...RETRY_FLAGS,
  },
  examples: [
    { command: "strake history app", summary: "Which instruction made which layer" },
    { command: "strake history docker://debian:12", summary: "Without pulling it" },
  ],
  async run({ options, positionals: [name = ""] }, context) {
    await using bench = openWorkbench(context);
    const { description } = await viewImage(name, bench, options.platform);
    const { record } = description;
    const rows = historyRows(description).reverse();
    const { stdout } = context;
    const id = options["no-trunc"] ? record.imageId : shortDigest(record.imageId);
    if (options.quiet) {
      stdout.write(`${id}\n`);
    } else if (options.json) {
      stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    } else {
      const cells = rows.map((row, index) => [
        index === 0 ? id : "<missing>",
        row.created === undefined ? "N/A" : formatAgo(row.created, context.now()),
        options["no-trunc"] ? row.createdBy : truncate(oneLine(row.createdBy), INSTRUCTION_CELLS),
        formatBytes(row.size),
        row.comment,
      ]);
      stdout.write(formatTable(["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"], cells));
    }
    return undefined;
  },
});

/** Steps with the layers they made, oldest first. An image may lack history for some of its layers, or have none at all. */
function historyRows({ config, layers }: ImageDescription): HistoryRow[] {
  const remaining = layers.values();
  const takeLayer = (): Pick<HistoryRow, "diffId" | "size"> => {
    const next = remaining.next();
    if (next.done === true) return { diffId: undefined, size: 0 };
    const { diffId, info, blob } = next.value;
    return { diffId, size: info?.tarSize ?? blob?.size ?? 0 };
  };
  const rows = (config.history ?? []).map((entry): HistoryRow => {
    const isEmpty = entry.empty_layer === true;
    return {
      created: entry.created,
      createdBy: entry.created_by ?? "",
      comment: entry.comment ?? "",
      isEmpty,
      ...(isEmpty ? { diffId: undefined, size: 0 } : takeLayer()),
    };
  });
  const accounted = rows.filter(({ isEmpty }) => !isEmpty).length;
  for (let layer = accounted; layer < layers.length; layer++) {
    rows.push({ created: undefined, createdBy: "", comment: "", isEmpty: false, ...takeLayer() });
  }
  return rows;
}
