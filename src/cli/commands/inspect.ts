import { formatPlatform } from "../../oci/index.ts";
import type { PlatformImage } from "../../store/index.ts";
import { defineCommand } from "../command.ts";
import { CliError, usageError } from "../error.ts";
import { PLATFORM_FLAG } from "../images/find-images.ts";
import { type ShownImage, viewImage } from "../images/view-image.ts";
import { openWorkbench } from "../images/workbench.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

export const inspect = defineCommand({
  operands: "IMAGE...",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "An image of the store; or docker://NAME in a registry, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], " +
      "of which nothing but documents is fetched.",
  ],
  options: {
    config: { type: "boolean", summary: "The config alone, byte by byte: its digest is the image ID" },
    manifest: { type: "boolean", summary: "The manifest alone, byte by byte; the index of several images" },
    platform: PLATFORM_FLAG,
    ...RETRY_FLAGS,
  },
  examples: [
    { command: "strake inspect app", summary: "Config, layers and digests, in Docker's form" },
    { command: "strake inspect --platform linux/arm64 docker://debian:12", summary: "Without pulling it" },
  ],
  async run({ options, positionals }, context) {
    if (options.config && options.manifest)
      throw usageError("Only one of --config and --manifest can be shown");
    if ((options.config || options.manifest) && positionals.length > 1) {
      throw usageError("A config or manifest is shown of one image only");
    }
    await using bench = openWorkbench(context);
    const shown: ShownImage[] = [];
    for (const text of positionals) shown.push(await viewImage(text, bench, options.platform));
    const [image] = shown;
    if (options.manifest && options.platform === undefined && image?.indexBytes !== undefined) {
      await context.stdout.writeBytes(image.indexBytes);
      return undefined;
    }
    const first = image?.description;
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
      const documents = shown.map(toDocument);
      context.stdout.write(`${JSON.stringify(documents, null, 4)}\n`);
    }
    return undefined;
  },
});

/** Docker's members under Docker's names, and what OCI has beyond them. */
function toDocument({ description, tags, digests, index, platforms }: ShownImage) {
  const { record, config, manifest, layers } = description;
  return {
    Id: record.imageId,
    RepoTags: tags,
    RepoDigests: digests,
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
    ...(platforms === undefined ? {} : { Index: index ?? null, Platforms: platforms.map(toPlatform) }),
    ...(record.createdAt === "" ? {} : { Metadata: { LastTagTime: record.createdAt } }),
  };
}

function toPlatform({ platform, imageId, manifest }: Partial<PlatformImage>) {
  return {
    Platform: platform === undefined ? null : formatPlatform(platform),
    ...(imageId === undefined ? {} : { Id: imageId }),
    Manifest: manifest?.digest ?? null,
  };
}
