import { reportTransfer, runStep } from "../../builder/remote/index.ts";
import { formatFamiliarReference, type Platform } from "../../oci/index.ts";
import { idOf, imagesOf } from "../../store/images/index.ts";
import type { ImageRecord } from "../../store/index.ts";
import { defineCommand } from "../command.ts";
import { usageError } from "../error.ts";
import { importImage } from "../images/import-image.ts";
import { type ImagePlace, parsePlace } from "../images/place.ts";
import { Workbench } from "../images/workbench.ts";
import { openView } from "../progress/open-view.ts";
import { PROGRESS_FLAGS, progressKind } from "../progress/progress-flags.ts";
import { parsePlatformFlag } from "../registry/platform-flag.ts";
import { pullIntoStore } from "../registry/pull-into-store.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";

export const pull = defineCommand({
  operands: "NAME[:TAG|@DIGEST]...",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "Prints the full name of each image once it is in the store. Layers that are there already are not fetched.",
    "An image outside registries is taken in too: oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME].",
  ],
  options: {
    platform: {
      type: "string",
      value: "OS/ARCH",
      default: "this machine's",
      summary: "Which image of several",
    },
    unpack: { type: "boolean", summary: "Also unpack the layers now, not when a build first reads them" },
    "allow-foreign": {
      type: "boolean",
      summary: "Fetch layers that the registry may not pass on from where the image says, over https",
    },
    ...PROGRESS_FLAGS,
    json: { type: "boolean", summary: "The result as JSON, one line for each image: name, ID, digest" },
    ...RETRY_FLAGS,
  },
  examples: [
    { command: "strake pull debian:bookworm-slim", summary: "From Docker Hub" },
    { command: "strake pull --platform linux/arm64 ghcr.io/team/app:1", summary: "For another machine" },
  ],
  needsRoot: ({ unpack }) => unpack === true,
  async run({ options, positionals }, context) {
    const { cwd, nowMs, now, signal, settings, stdout } = context;
    const places = positionals.map((text) => parsePlace(text, { cwd, plain: "registry" }));
    const inStore = places.find(({ kind }) => kind === "store");
    if (inStore !== undefined) throw usageError(`Cannot pull "${inStore.text}": it is in the store already`);
    const platform = parsePlatformFlag(options.platform);
    const view = await openView(progressKind(options, settings), "Pulling", context);
    const { onEvent } = view;
    const pulled: ImageRecord[] = [];
    let vertex = "";
    try {
      await using bench = new Workbench(context, {
        onEvent,
        onRegistryEvent: (event) => reportTransfer(event, vertex, onEvent),
        foreignLayers: options["allow-foreign"],
      });
      const store = await bench.store();
      for (const place of places) {
        vertex = `pulling ${place.kind === "registry" ? formatFamiliarReference(place.reference) : place.text}`;
        const step = { vertex, name: vertex, onEvent, nowMs, signal };
        const { unpack } = options;
        const record = await runStep(step, async () => {
          if (place.kind !== "registry") {
            return await importUnderItsName(place, bench, { platform, vertex, unpack });
          }
          const { reference } = place;
          const client = await bench.client();
          const pullOptions = { reference, platform, unpack, now, signal };
          return await suggestingTags(
            client,
            reference,
            () => pullIntoStore(client, store, pullOptions),
            signal,
          );
        });
        pulled.push(record);
      }
    } finally {
      view.close();
      for (const record of pulled)
        stdout.write(options.json ? `${JSON.stringify(toResult(record))}\n` : `${record.reference}\n`);
    }
    return undefined;
  },
});

/** An image of a layout or archive, under the name that it has there; without one it is kept by its ID. */
async function importUnderItsName(
  place: ImagePlace,
  bench: Workbench,
  {
    platform,
    vertex,
    unpack,
  }: { readonly platform: Platform | undefined; readonly vertex: string; readonly unpack: boolean },
): Promise<ImageRecord> {
  const { now, signal } = bench.context;
  const store = await bench.store();
  const { image, fullName } = await importImage(place, bench, { platform, vertex });
  if (unpack) {
    for (const each of imagesOf({ reference: "", createdAt: "", ...image })) {
      const { layers } = await store.images.describe({ reference: "", createdAt: "", ...each });
      await store.layers.ensureStack(
        layers.map(({ diffId }) => diffId),
        { signal },
      );
    }
  }
  const createdAt = new Date(now()).toISOString();
  const record = { reference: "", ...image, createdAt };
  const named = { ...record, reference: fullName ?? idOf(record) };
  await store.images.put(named);
  return named;
}

function toResult(record: ImageRecord) {
  const { reference, manifest, index } = record;
  return { name: reference, id: idOf(record), digest: (index ?? manifest)?.digest ?? null };
}
