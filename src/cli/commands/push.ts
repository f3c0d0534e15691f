import { pushRecord, pushWhileCompressing, reportTransfer, runStep } from "../../builder/remote/index.ts";
import { parseReference } from "../../oci/index.ts";
import type { PushedImage } from "../../registry/index.ts";
import type { ImageRecord, ImageStore } from "../../store/index.ts";
import { defineCommand } from "../command.ts";
import { usageError } from "../error.ts";
import { matchImage } from "../images/find-images.ts";
import { familiarName, fullName } from "../images/names.ts";
import { openStore } from "../open-store.ts";
import { openView } from "../progress/open-view.ts";
import { PROGRESS_FLAGS, progressKind } from "../progress/progress-flags.ts";
import { ensureManifest } from "../registry/ensure-manifest.ts";
import { openRegistry } from "../registry/open-registry.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

export const push = defineCommand({
  operands: "NAME[:TAG]...",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "Pushes images of the store to the registries that their names say, and prints each name with the digest it has " +
      "there. What a registry has already, also in another repository, is not sent.",
  ],
  options: {
    ...PROGRESS_FLAGS,
    json: {
      type: "boolean",
      summary: "The result as JSON, one line for each name: digest, and what was sent",
    },
    ...RETRY_FLAGS,
  },
  examples: [
    {
      command: "strake push registry.example.com/team/app:1",
      summary: "Under the name that strake tag gave it",
    },
  ],
  async run({ options, positionals }, context) {
    const { nowMs, signal, settings, stdout } = context;
    for (const text of positionals) fullName(text);
    const kind = progressKind(options, settings);
    await using store = await openStore(context);
    const records = [];
    for (const text of positionals) records.push(await findNamed(store.images, text));

    const view = await openView(kind, "Pushing", context);
    const { onEvent } = view;
    const pushed: PushResult[] = [];
    // One client for all: what it sent for one image it knows to be there for the next.
    let vertex = "";
    await using client = await openRegistry(settings, (event) => reportTransfer(event, vertex, onEvent));
    try {
      for (const record of records) {
        vertex = `pushing ${familiarName(record)}`;
        const step = { vertex, name: vertex, onEvent, nowMs, signal };
        const { descriptor, blobs, uploadedBytes } = await runStep(step, async () => {
          using _early = pushWhileCompressing(
            store,
            client.repository(parseReference(record.reference)),
            signal,
          );
          const whole = await ensureManifest(store, record, signal);
          return await pushRecord(client, store, whole, { mayFallBack: true, signal });
        });
        const { mediaType, digest, size } = descriptor;
        pushed.push({ name: record.reference, digest, mediaType, size, blobs, uploadedBytes });
      }
    } finally {
      view.close();
      for (const result of pushed)
        stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${result.name}@${result.digest}\n`);
    }
    return undefined;
  },
});

interface PushResult extends Pick<PushedImage, "blobs" | "uploadedBytes"> {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
}

/** The image of that name; an ID does not say where to push to. */
async function findNamed(images: ImageStore, text: string): Promise<ImageRecord> {
  const { record, by } = await matchImage(images, text);
  if (by === "name") return record;
  throw usageError(
    `Cannot push "${text}": an image ID names no registry`,
    `Name it first: strake tag ${text} registry.example.com/name:tag`,
  );
}
