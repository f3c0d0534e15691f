import { shortDigest } from "../../oci/index.ts";
import type { ImageRecord } from "../../store/index.ts";
import { defineCommand } from "../command.ts";
import { familiarName, fullName, hasName, shownName } from "../images/names.ts";
import { openStore } from "../open-store.ts";
import { formatBytes } from "../progress/format.ts";
import { formatAgo } from "../tables/ago.ts";
import { formatTable } from "../tables/table.ts";

interface ListedImage {
  readonly record: ImageRecord;
  readonly created: string;
  /** Bytes of the layers' files where they are known, else of the compressed blobs. */
  readonly size: number;
  readonly compressedSize: number | undefined;
}

export const images = defineCommand({
  operands: "[REPOSITORY[:TAG]]",
  count: { min: 0, max: 1 },
  details: ["SIZE is that of an image's layers unpacked, or compressed where they never were unpacked here."],
  options: {
    quiet: { type: "boolean", short: "q", summary: "Only image IDs" },
    digests: { type: "boolean", summary: "Also the digests of manifests" },
    "no-trunc": { type: "boolean", summary: "Whole image IDs" },
    json: { type: "boolean", summary: "As JSON" },
    all: {
      type: "boolean",
      short: "a",
      hidden: true,
      summary: "No effect: there are no intermediate images",
    },
  },
  async run({ options, positionals: [filter] }, context) {
    const { stdout } = context;
    await using store = await openStore(context);
    const records = (await store.images.list()).filter(
      (record) => filter === undefined || isOf(record, filter),
    );
    const listed = await Promise.all(
      records.map(async (record): Promise<ListedImage> => {
        const { config, unpackedSize, compressedSize, layers } = await store.images.describe(record);
        const isKnown = layers.every(({ info }) => info?.tarSize !== undefined);
        const size = isKnown ? unpackedSize : (compressedSize ?? unpackedSize);
        return { record, created: config.created ?? record.createdAt, size, compressedSize };
      }),
    );
    listed.sort((a, b) => Date.parse(b.created) - Date.parse(a.created));

    if (options.json) {
      stdout.write(`${JSON.stringify(listed.map(toJson), null, 2)}\n`);
    } else if (options.quiet) {
      const ids = listed.map(({ record }) => shownId(record, options["no-trunc"]));
      stdout.write([...new Set(ids)].map((id) => `${id}\n`).join(""));
    } else {
      const header = [
        "REPOSITORY",
        "TAG",
        ...(options.digests ? ["DIGEST"] : []),
        "IMAGE ID",
        "CREATED",
        "SIZE",
      ];
      const rows = listed.map(({ record, created, size }) => {
        const { repository, tag } = shownName(record);
        const digest = options.digests ? [record.manifest?.digest ?? "<none>"] : [];
        const id = shownId(record, options["no-trunc"]);
        return [repository, tag, ...digest, id, formatAgo(created, context.now()), formatBytes(size)];
      });
      stdout.write(formatTable(header, rows));
    }
    return undefined;
  },
});

function shownId({ imageId }: ImageRecord, isWhole: boolean): string {
  return isWhole ? imageId : shortDigest(imageId);
}

/** Whether an image has that name; without a tag, any tag of it. */
function isOf(record: ImageRecord, filter: string): boolean {
  if (!hasName(record)) return false;
  const full = fullName(filter);
  if (record.reference === full) return true;
  const hasTag = /:[^/]*$/.test(filter);
  return !hasTag && record.reference.startsWith(full.replace(/:[^:/]*$/, ":"));
}

function toJson({ record, created, size, compressedSize }: ListedImage) {
  return {
    name: hasName(record) ? familiarName(record) : null,
    reference: hasName(record) ? record.reference : null,
    id: record.imageId,
    manifest: record.manifest?.digest ?? null,
    index: record.index?.digest ?? null,
    platform: record.platform,
    created,
    size,
    compressedSize: compressedSize ?? null,
  };
}
