import { formatPlatform, hostPlatform, isSamePlatform, shortDigest } from "../../oci/index.ts";
import { idOf, imagesOf, withImage } from "../../store/images/index.ts";
import type { ImageRecord, Store } from "../../store/index.ts";
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
  details: [
    "SIZE is that of an image's layers unpacked, or compressed where they never were unpacked here. " +
      "A name that stands for images of several platforms is one line.",
  ],
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
  examples: [
    { command: "strake images", summary: "What the store has" },
    { command: "strake images -q app", summary: "The IDs of one repository's images" },
  ],
  async run({ options, positionals: [filter] }, context) {
    const { stdout } = context;
    await using store = await openStore(context);
    const records = (await store.images.list()).filter(
      (record) => filter === undefined || isOf(record, filter),
    );
    const listed = await Promise.all(records.map((record) => describeName(record, store)));
    listed.sort((a, b) => Date.parse(b.created) - Date.parse(a.created));

    if (options.json) {
      stdout.write(`${JSON.stringify(listed.map(toJson), null, 2)}\n`);
    } else if (options.quiet) {
      const ids = listed.map(({ record }) => shownId(record, options["no-trunc"]));
      stdout.write([...new Set(ids)].map((id) => `${id}\n`).join(""));
    } else {
      const hasPlatforms = showsPlatforms(listed);
      const header = [
        "REPOSITORY",
        "TAG",
        ...(options.digests ? ["DIGEST"] : []),
        "IMAGE ID",
        "CREATED",
        "SIZE",
        ...(hasPlatforms ? ["PLATFORM"] : []),
      ];
      const rows = listed.map(({ record, created, size }) => {
        const { repository, tag } = shownName(record);
        const root = record.images === undefined ? record.manifest : record.index;
        const digest = options.digests ? [root?.digest ?? "<none>"] : [];
        const id = shownId(record, options["no-trunc"]);
        const platforms = hasPlatforms ? [shownPlatforms(record)] : [];
        const ago = formatAgo(created, context.now());
        return [repository, tag, ...digest, id, ago, formatBytes(size), ...platforms];
      });
      stdout.write(formatTable(header, rows));
    }
    return undefined;
  },
});

/** A name with its image, or with its images: then sizes are of all together. */
async function describeName(record: ImageRecord, store: Store): Promise<ListedImage> {
  const described = await Promise.all(
    imagesOf(record).map((image) => store.images.describe(withImage(record, image))),
  );
  const layers = new Map(described.flatMap((image) => image.layers.map((layer) => [layer.diffId, layer])));
  const sizes = [...layers.values()].map(({ info }) => info?.tarSize);
  const isKnown = sizes.every((size) => size !== undefined);
  const unpackedSize = sizes.reduce((sum: number, size) => sum + (size ?? 0), 0);
  const compressedSize = described.every((image) => image.compressedSize !== undefined)
    ? described.reduce((sum, image) => sum + (image.compressedSize ?? 0), 0)
    : undefined;
  return {
    record,
    created: described[0]?.config.created ?? record.createdAt,
    size: isKnown ? unpackedSize : (compressedSize ?? unpackedSize),
    compressedSize,
  };
}

/** Platforms are shown where not all images are simply this machine's. */
function showsPlatforms(listed: readonly ListedImage[]): boolean {
  const host = hostPlatform();
  return listed.some(({ record }) =>
    imagesOf(record).some(({ platform }) => !isSamePlatform(platform, host)),
  );
}

function shownPlatforms(record: ImageRecord): string {
  return imagesOf(record)
    .map(({ platform }) => formatPlatform(platform))
    .join(",");
}

function shownId(record: ImageRecord, isWhole: boolean): string {
  return isWhole ? idOf(record) : shortDigest(idOf(record));
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
    id: idOf(record),
    manifest: record.manifest?.digest ?? null,
    index: record.index?.digest ?? null,
    platform: record.platform,
    ...(record.images === undefined
      ? {}
      : {
          images: record.images.map(({ platform, imageId, manifest }) => ({
            platform,
            id: imageId,
            manifest: manifest.digest,
          })),
        }),
    created,
    size,
    compressedSize: compressedSize ?? null,
  };
}
