import { formatFamiliarReference, parsePlatform, parseReference, withDefaultTag } from "../../oci/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { defineCommand } from "../command.ts";
import { openStore } from "../open-store.ts";
import { parseProgressKind } from "../progress/create-view.ts";
import { openView } from "../progress/open-view.ts";
import { openRegistry } from "../registry/open-registry.ts";
import { pullIntoStore } from "../registry/pull-into-store.ts";
import { runStep } from "../registry/run-step.ts";
import { reportTransfer } from "../registry/transfer-events.ts";

export const pull = defineCommand({
  operands: "NAME[:TAG|@DIGEST]...",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "Prints the full name of each image once it is in the store. Layers that are there already are not fetched.",
  ],
  options: {
    platform: {
      type: "string",
      value: "OS/ARCH",
      default: "this machine's",
      summary: "Which image of several",
    },
    unpack: { type: "boolean", summary: "Also unpack the layers now, not when a build first reads them" },
    quiet: { type: "boolean", short: "q", summary: "Show no progress" },
    progress: {
      type: "string",
      value: "KIND",
      default: "$STRAKE_PROGRESS, else auto",
      summary: "auto, plain, tty, rawjson or quiet",
    },
  },
  examples: [
    { command: "strake pull debian:bookworm-slim", summary: "From Docker Hub" },
    { command: "strake pull --platform linux/arm64 ghcr.io/team/app:1", summary: "For another machine" },
  ],
  needsRoot: ({ unpack }) => unpack === true,
  async run({ options, positionals }, context) {
    const { nowMs, now, signal, settings, stdout } = context;
    const references = positionals.map((text) => asUsage(() => withDefaultTag(parseReference(text))));
    const { platform: wanted } = options;
    const platform = wanted === undefined ? undefined : asUsage(() => parsePlatform(wanted));
    const kind = options.quiet ? "quiet" : parseProgressKind(options.progress, settings.progress);
    const view = await openView(kind, "Pulling", context);
    const { onEvent } = view;
    const pulled: string[] = [];
    try {
      await using store = await openStore(context);
      for (const reference of references) {
        const name = `pulling ${formatFamiliarReference(reference)}`;
        await using client = await openRegistry(settings, (event) => reportTransfer(event, name, onEvent));
        const step = { vertex: name, name, onEvent, nowMs, signal };
        const { unpack } = options;
        const record = await runStep(step, () =>
          pullIntoStore(client, store, { reference, platform, unpack, now, signal }),
        );
        pulled.push(record.reference);
      }
    } finally {
      view.close();
      stdout.write(pulled.map((name) => `${name}\n`).join(""));
    }
    return undefined;
  },
});
