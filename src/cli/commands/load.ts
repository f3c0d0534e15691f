import { resolve } from "node:path";
import { runStep } from "../../builder/remote/index.ts";
import { formatFamiliarReference, parseReference } from "../../oci/index.ts";
import { idOf } from "../../store/images/index.ts";
import type { ImageRecord } from "../../store/index.ts";
import { defineCommand } from "../command.ts";
import { usageError } from "../error.ts";
import { loadArchive } from "../images/load-archive.ts";
import { Workbench } from "../images/workbench.ts";
import { openView } from "../progress/open-view.ts";
import { PROGRESS_FLAGS, progressKind } from "../progress/progress-flags.ts";

export const load = defineCommand({
  operands: "",
  count: { min: 0, max: 0 },
  details: [
    "Takes what docker save, podman save, skopeo and strake save write: docker archives since Docker 1.10 and OCI image layouts, " +
      "plain or compressed with gzip, bzip2 or zstd, with any number of images. Names, image IDs and digests stay.",
  ],
  options: {
    input: {
      type: "string",
      short: "i",
      value: "FILE",
      default: "standard input",
      summary: "The archive, or the folder of a layout",
    },
    ...PROGRESS_FLAGS,
    json: { type: "boolean", summary: "As JSON: a list of images with their IDs" },
  },
  examples: [
    { command: "strake load -i app.tar", summary: "Images from a file" },
    { command: "docker save app | strake load", summary: "An image out of Docker" },
  ],
  async run({ options }, context) {
    const { cwd, settings, stdin, stdout, signal, nowMs, now } = context;
    const input = options.input === "-" ? undefined : options.input;
    if (input === undefined && stdin.isTTY)
      throw usageError("Cannot load from a terminal", "Name the archive with -i FILE, or pipe it in");
    const view = await openView(progressKind(options, settings), "Loading", context);
    const vertex = `loading ${input ?? "from standard input"}`;
    const records: ImageRecord[] = [];
    await using bench = new Workbench(context, { onEvent: view.onEvent, onRegistryEvent: () => undefined });
    try {
      const store = await bench.store();
      await runStep({ vertex, name: vertex, onEvent: view.onEvent, nowMs, signal }, async () => {
        await using files = await openFiles(input, { cwd, stdin, tempFolder: () => store.tmpDir, signal });
        for (const { image, names } of await loadArchive(files, { bench, store, vertex })) {
          const createdAt = new Date(now()).toISOString();
          for (const reference of names.length > 0 ? names : [idOf({ reference: "", createdAt, ...image })]) {
            const record = { reference, ...image, createdAt };
            await store.images.put(record);
            records.push(record);
          }
        }
      });
    } finally {
      view.close();
      if (options.json) stdout.write(`${JSON.stringify(records.map(toResult), undefined, 2)}\n`);
      else stdout.write(records.map(toLine).join(""));
    }
    return undefined;
  },
});

async function openFiles(
  input: string | undefined,
  {
    cwd,
    stdin,
    tempFolder,
    signal,
  }: {
    readonly cwd: string;
    readonly stdin: AsyncIterable<Uint8Array>;
    readonly tempFolder: () => string;
    readonly signal: AbortSignal;
  },
) {
  const [{ FolderFiles, openArchive }, { stat }] = await Promise.all([
    import("../../store/transports/index.ts"),
    import("node:fs/promises"),
  ]);
  if (input === undefined) return await openArchive(stdin, { shown: "<stdin>", tempFolder, signal });
  const path = resolve(cwd, input);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) {
    return Object.assign(new FolderFiles(path, input), { [Symbol.asyncDispose]: async () => undefined });
  }
  return await openArchive(path, { shown: input, tempFolder, signal });
}

/** In Docker's words, which scripts look for. */
function toLine(record: ImageRecord): string {
  const id = idOf(record);
  return record.reference === id
    ? `Loaded image ID: ${id}\n`
    : `Loaded image: ${formatFamiliarReference(parseReference(record.reference))}\n`;
}

function toResult(record: ImageRecord) {
  const id = idOf(record);
  const name = record.reference === id ? null : formatFamiliarReference(parseReference(record.reference));
  return {
    name,
    id,
    manifest: (record.images === undefined ? record.manifest : record.index)?.digest ?? null,
  };
}
