import { resolve } from "node:path";
import { reportTransfer, runStep } from "../../builder/remote/index.ts";
import {
  type Descriptor,
  type Digest,
  formatFamiliarReference,
  hostPlatform,
  parsePlatform,
  parseReference,
} from "../../oci/index.ts";
import { imageFor, imagesOf } from "../../store/images/index.ts";
import type { ImageRecord } from "../../store/index.ts";
import type { DockerEntry } from "../../store/transports/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { defineCommand } from "../command.ts";
import { usageError } from "../error.ts";
import { openArchiveOutput } from "../images/archive-output.ts";
import { findImage, imageOfPlatform } from "../images/find-images.ts";
import { hasName } from "../images/names.ts";
import type { OpenedSource } from "../images/open-source.ts";
import { dockerEntry, pushInto } from "../images/open-target.ts";
import { storeSource } from "../images/store-blobs.ts";
import { Workbench } from "../images/workbench.ts";
import { openView } from "../progress/open-view.ts";
import { PROGRESS_FLAGS, progressKind } from "../progress/progress-flags.ts";
import { ensureManifest } from "../registry/ensure-manifest.ts";

type Format = "docker-archive" | "oci-archive" | "oci-dir";

export const save = defineCommand({
  operands: "IMAGE...",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "Writes images of the store into one archive that docker load, podman load, skopeo and strake load take: an OCI image " +
      "layout with the manifest.json of docker save. What images share is in it once.",
    "An image named by its ID has no name in the archive either.",
  ],
  options: {
    output: { type: "string", short: "o", value: "FILE", default: "standard output", summary: "Where to" },
    format: {
      type: "string",
      value: "FORMAT",
      default: "docker-archive",
      summary: "docker-archive, oci-archive (without manifest.json) or oci-dir (a folder, with -o)",
    },
    platform: {
      type: "string",
      value: "OS/ARCH",
      default: "all of an image",
      summary: "Only the image for this platform",
    },
    ...PROGRESS_FLAGS,
  },
  examples: [
    { command: "strake save -o app.tar app:1 app:2", summary: "Two images in one file" },
    { command: "strake save app | ssh host docker load", summary: "Without a registry to another machine" },
    { command: "strake save --format oci-dir -o app/ app", summary: "As a folder" },
  ],
  async run({ options, positionals }, context) {
    const { cwd, settings, signal, nowMs } = context;
    const format = parseFormat(options.format);
    const platform = options.platform;
    if (platform !== undefined) asUsage(() => parsePlatform(platform));
    if (format === "oci-dir" && (options.output === undefined || options.output === "-"))
      throw usageError("Cannot write a folder to standard output", "Name it with -o DIR");

    // The output is looked at first: nobody wants to hear of a terminal after a minute of compressing.
    await using output = format === "oci-dir" ? undefined : await openArchiveOutput(options.output, context);
    const view = await openView(progressKind(options, settings), "Saving", context);
    let vertex = "";
    await using bench = new Workbench(context, {
      onEvent: view.onEvent,
      onRegistryEvent: (event) => {
        if (!event.kind.startsWith("blob-")) reportTransfer(event, vertex, view.onEvent);
      },
    });
    try {
      const store = await bench.store();
      const { ArchiveWriter, FolderWriter, nameAnnotations } = await import(
        "../../store/transports/index.ts"
      );
      const { copyImage } = await import("../../registry/index.ts");
      const chosen = new Map<Digest, SavedImage>();
      for (const text of positionals) {
        const found = imageOfPlatformIfAsked(await findImage(store.images, text), platform);
        addImage(chosen, await ensureManifest(store, found, signal), { isById: isById(text, found) });
      }
      const folder = options.output ?? "";
      const writer =
        output === undefined
          ? await FolderWriter.open(resolve(cwd, folder), folder)
          : new ArchiveWriter(output);
      const from = storeSource(store, () => bench.client());
      for (const { root, title } of chosen.values()) {
        vertex = `saving ${title}`;
        const step = { vertex, name: vertex, onEvent: view.onEvent, nowMs, signal };
        const pushBlob = pushInto(writer, { bench, vertex });
        await runStep(step, () =>
          copyImage({ from, name: root.digest, to: writer, pushBlob, tags: [], signal }),
        );
      }
      const roots = [...chosen.values()].flatMap(({ root, names }) =>
        names.length === 0
          ? [root]
          : names.map((name) => {
              // docker save writes the tag there, podman save the whole name; each reads its own.
              const ref = format === "docker-archive" ? (parseReference(name).tag ?? name) : name;
              return { ...root, annotations: nameAnnotations(ref, name) };
            }),
      );
      const isDocker = format === "docker-archive";
      await writer.finish(roots, isDocker ? await dockerEntries([...chosen.values()], { from }) : undefined);
      await output?.commit();
    } finally {
      view.close();
    }
    return undefined;
  },
});

/** An image as it goes into the archive, with every name that it was asked for by. */
interface SavedImage {
  readonly root: Descriptor;
  readonly title: string;
  readonly names: string[];
  /** What manifest.json, which knows no indexes, says it is. */
  readonly single: Descriptor;
}

function addImage(
  chosen: Map<Digest, SavedImage>,
  record: ImageRecord & { readonly manifest: Descriptor },
  { isById }: { readonly isById: boolean },
): void {
  const root = record.images === undefined ? record.manifest : (record.index ?? record.manifest);
  const name = isById || !hasName(record) ? undefined : record.reference;
  const known = chosen.get(root.digest);
  if (known !== undefined) {
    if (name !== undefined && !known.names.includes(name)) known.names.push(name);
    return;
  }
  const { mediaType, digest, size } = root;
  chosen.set(digest, {
    root: { mediaType, digest, size },
    title: name === undefined ? record.imageId : formatFamiliarReference(parseReference(name)),
    names: name === undefined ? [] : [name],
    single: singleOf(record),
  });
}

/** Of several platforms this machine's, else the first. */
function singleOf(record: ImageRecord & { readonly manifest: Descriptor }): Descriptor {
  const fitting: ImageRecord | undefined = imageFor(record, hostPlatform());
  return fitting?.manifest ?? imagesOf(record)[0]?.manifest ?? record.manifest;
}

function imageOfPlatformIfAsked(record: ImageRecord, platform: string | undefined): ImageRecord {
  return platform === undefined ? record : imageOfPlatform(record, platform);
}

/** Whether the text is the ID of the image that was found by it, and no name. */
function isById(text: string, record: ImageRecord): boolean {
  return /^(?:sha256:)?[0-9a-f]{4,64}$/.test(text) && !record.reference.includes(`/${text}:`);
}

async function dockerEntries(
  images: readonly SavedImage[],
  source: Pick<OpenedSource, "from">,
): Promise<readonly DockerEntry[]> {
  const entries: DockerEntry[] = [];
  for (const { single, names } of images) {
    // Whole names: podman takes a short one for a name of its own, localhost/….
    entries.push({ ...dockerEntry(await source.from.fetchManifest(single.digest)), repoTags: names });
  }
  return entries;
}

function parseFormat(text: string | undefined): Format {
  switch (text) {
    case undefined:
    case "docker":
    case "docker-archive":
      return "docker-archive";
    case "oci":
    case "oci-archive":
      return "oci-archive";
    case "oci-dir":
      return text;
    default:
      throw usageError(`Unknown format "${text}"`, "Formats are docker-archive, oci-archive and oci-dir");
  }
}
