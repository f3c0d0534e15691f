import { formatFamiliarName, formatPlatform, parseReference } from "../../oci/index.ts";
import { idOf } from "../../store/images/index.ts";
import type { ImageDescription, ImageRecord, PlatformImage, Store } from "../../store/index.ts";
import { defineCommand } from "../command.ts";
import { CliError, usageError } from "../error.ts";
import { findImage, imageOfPlatform, namesOf, PLATFORM_FLAG } from "../images/find-images.ts";
import { familiarName, hasName } from "../images/names.ts";
import { openStore } from "../open-store.ts";

export const inspect = defineCommand({
  operands: "IMAGE...",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  options: {
    config: { type: "boolean", summary: "The config alone, byte by byte: its digest is the image ID" },
    manifest: { type: "boolean", summary: "The manifest alone, byte by byte; the index of several images" },
    platform: PLATFORM_FLAG,
  },
  examples: [{ command: "strake inspect app", summary: "Config, layers and digests, in Docker's form" }],
  async run({ options, positionals }, context) {
    if (options.config && options.manifest)
      throw usageError("Only one of --config and --manifest can be shown");
    if ((options.config || options.manifest) && positionals.length > 1) {
      throw usageError("A config or manifest is shown of one image only");
    }
    await using store = await openStore(context);
    const found: ImageRecord[] = [];
    for (const text of positionals) found.push(await findImage(store.images, text));
    const [record] = found;
    if (options.manifest && options.platform === undefined && record?.images !== undefined) {
      await context.stdout.writeBytes(await store.blobs.readBlob(idOf(record)));
      return undefined;
    }
    const described = await Promise.all(
      found.map((each) => store.images.describe(imageOfPlatform(each, options.platform))),
    );
    const [first] = described;
    if (options.config) {
      await context.stdout.writeBytes(first?.configBytes ?? new Uint8Array());
    } else if (options.manifest) {
      if (first?.manifestBytes === undefined) {
        throw new CliError("IMAGE_NOT_FOUND", `Image "${positionals[0]}" has no manifest yet`, {
          hint: "A manifest is made when the image is first pushed or exported",
        });
      }
      await context.stdout.writeBytes(first.manifestBytes);
    } else {
      const documents = await Promise.all(
        described.map((description, i) => toDocument(description, found[i] as ImageRecord, store)),
      );
      context.stdout.write(`${JSON.stringify(documents, null, 4)}\n`);
    }
    return undefined;
  },
});

/** Docker's members under Docker's names, and what OCI has beyond them. */
async function toDocument(description: ImageDescription, found: ImageRecord, store: Store) {
  const { record, config, manifest, layers } = description;
  const named = (await namesOf(store.images, found)).filter(hasName);
  const digests = named.flatMap(({ reference, manifest: own, index }) => {
    const name = formatFamiliarName(parseReference(reference));
    return [own, index].flatMap((descriptor) =>
      descriptor === undefined ? [] : [`${name}@${descriptor.digest}`],
    );
  });
  return {
    Id: record.imageId,
    RepoTags: named.map(familiarName),
    RepoDigests: [...new Set(digests)],
    Created: config.created ?? null,
    Author: config.author ?? "",
    Config: config.config ?? {},
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: description.unpackedSize,
    CompressedSize: description.compressedSize ?? null,
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Layers: layers.map(({ diffId, blob, info }) => ({
      DiffID: diffId,
      Size: info?.tarSize ?? null,
      Blob: blob ?? info?.blob ?? null,
      Unpacked: info?.hasSnapshot ?? false,
    })),
    History: config.history ?? [],
    Descriptor: record.manifest ?? null,
    Manifest: manifest ?? null,
    ...(found.images === undefined
      ? {}
      : { Index: found.index ?? null, Platforms: found.images.map(toPlatform) }),
    Metadata: { LastTagTime: record.createdAt },
  };
}

function toPlatform({ platform, imageId, manifest }: PlatformImage) {
  return { Platform: formatPlatform(platform), Id: imageId, Manifest: manifest.digest };
}
