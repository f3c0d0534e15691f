import { resolve } from "node:path";
import { type AddedLayer, EditedImage, editTree, type ImageChange } from "../../builder/edit/index.ts";
import { reportTransfer, runStep } from "../../builder/remote/index.ts";
import { originsOf } from "../../builder/sources/layer-blobs.ts";
import { type BlobOpener, type Digest, hostPlatform, type ImageManifest } from "../../oci/index.ts";
import {
  type CopyImageOptions,
  convertTree,
  copyImage,
  type DocumentTree,
  describeConversion,
  readTree,
} from "../../registry/index.ts";
import type { CommandContext } from "../command.ts";
import { type OpenedSource, openSource } from "../images/open-source.ts";
import { openTarget } from "../images/open-target.ts";
import { type ImagePlace, parsePlace } from "../images/place.ts";
import { Workbench } from "../images/workbench.ts";
import { openView } from "../progress/open-view.ts";
import { progressKind } from "../progress/progress-flags.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";
import { Bases } from "./bases.ts";
import type { EditFlags } from "./edit-flags.ts";
import { inPlace } from "./in-place.ts";
import { type EditRequest, isRebase, readEdit } from "./read-edit.ts";
import { type EditOutcome, reportEdit } from "./report-edit.ts";

/** What `strake edit` does. */
export async function runEdit(
  flags: EditFlags,
  [sourceText = "", targetText]: readonly string[],
  context: CommandContext,
): Promise<void> {
  const { cwd, settings } = context;
  const from = parsePlace(sourceText, { cwd, plain: "registry" });
  const to = targetText === undefined ? undefined : parsePlace(targetText, { cwd, plain: "registry" });
  const job: Job = {
    from,
    to: to ?? inPlace(from),
    isInPlace: to === undefined,
    flags,
    request: readEdit(flags, context),
  };
  const view = await openView(progressKind(flags, settings), "Editing", context);
  const vertex = `editing ${from.text}`;
  await using bench = new Workbench(context, {
    onEvent: view.onEvent,
    onRegistryEvent: (event) => reportTransfer(event, vertex, view.onEvent),
  });
  let outcome: EditOutcome;
  try {
    const step = {
      vertex,
      name: vertex,
      onEvent: bench.onEvent,
      nowMs: context.nowMs,
      signal: context.signal,
    };
    outcome = await runStep(step, () => editOne(job, bench, vertex));
  } finally {
    view.close();
  }
  reportEdit(outcome, { shown: from.text, flags }, context);
}

interface Job {
  readonly from: ImagePlace;
  readonly to: ImagePlace;
  readonly isInPlace: boolean;
  readonly flags: EditFlags;
  readonly request: EditRequest;
}

async function editOne(job: Job, bench: Workbench, vertex: string): Promise<EditOutcome> {
  const { from, to, flags, request } = job;
  const { signal } = bench.context;
  await using source = await openSource(from, bench);
  const takesIndexes = to.kind !== "docker-archive";
  // Where the result can be one image alone, the others need not be looked at.
  const platforms = takesIndexes ? undefined : (request.platforms ?? [hostPlatform()]);
  const read = (): Promise<DocumentTree> => readTree(source.from, source.name, { platforms, signal });
  const found =
    from.kind === "registry"
      ? await suggestingTags(await bench.client(), from.reference, read, signal)
      : await read();
  const tree = request.format === undefined ? found : convert(found, request.format, bench);
  const layers = await openLayers(flags.append, bench);
  await using bases = new Bases(bench, { old: flags["old-base"], new: flags["new-base"] });
  const rebase: Parameters<typeof editTree>[2]["rebase"] = isRebase(flags)
    ? (platform, image) => bases.find(platform, image, tree.root)
    : undefined;
  const made = await editTree(
    tree,
    source.from,
    { ...request, layers: layers.map(({ layer }) => layer), rebase },
    { signal },
  );
  const edited = { ...made, changes: made.changes.map((change) => sinceRead(change, found)) };
  const before = found.root;
  const isSame = edited.tree.root.descriptor.digest === before.descriptor.digest;
  if (flags["dry-run"] || (isSame && job.isInPlace)) return { before, edited, written: undefined };
  const blobs = new Map<Digest, BlobOpener>([
    ...bases.blobs(),
    ...layers.map(({ layer, open }) => [layer.descriptor.digest, open] as const),
  ]);
  const image = new EditedImage(edited, source.from, blobs);
  const editedSource: OpenedSource = {
    ...source,
    from: image,
    name: edited.tree.root.descriptor.digest,
    // Layers that were added are not where the others came from.
    origin: blobs.size === 0 ? source.origin : undefined,
    mountFrom: async (blob) => {
      const origins = await Promise.all([source.mountFrom(blob), bases.mountFrom(blob)]);
      return [...new Set(origins.flat())];
    },
  };
  await using target = await openTarget(to, { source: editedSource, bench, vertex });
  const copied = await copyImage({
    from: image,
    name: editedSource.name,
    to: target.to,
    pushBlob:
      from.kind === "store" && to.kind === "store"
        ? await leavingAway(target.pushBlob, bench)
        : target.pushBlob,
    forgetBlobs: target.forgetBlobs,
    onRoot: target.onRoot,
    tags: target.tags,
    signal,
  });
  const destination = await target.finish(copied);
  const { blobs: counts, uploadedBytes } = copied;
  return { before, edited, written: { destination, blobs: counts, uploadedBytes } };
}

/** The change from the image as it was read, before it was converted; its config and layers have the same digests. */
function sinceRead(change: ImageChange, { manifests }: DocumentTree): ImageChange {
  const { descriptor, manifest } = change.before;
  const blobs = blobsOf(manifest);
  const before =
    manifests.find((read) => read.descriptor.digest === descriptor.digest) ??
    manifests.find((read) => blobsOf(read.manifest) === blobs);
  return { ...change, before: before ?? change.before };
}

function blobsOf({ config, layers }: ImageManifest): string {
  return [config, ...layers].map(({ digest }) => digest).join(" ");
}

function convert(
  tree: DocumentTree,
  format: NonNullable<EditRequest["format"]>,
  bench: Workbench,
): DocumentTree {
  const converted = convertTree(tree, format);
  const told = describeConversion({ format, lost: converted.lost, refusal: undefined });
  if (told !== undefined) bench.onEvent({ kind: "warning", message: told });
  return converted.tree;
}

async function openLayers(
  files: readonly string[],
  bench: Workbench,
): Promise<readonly { readonly layer: AddedLayer; readonly open: BlobOpener }[]> {
  if (files.length === 0) return [];
  const { openLayerFile } = await import("../../store/transports/index.ts");
  const { cwd, signal } = bench.context;
  const tempFolder = await bench.tempFolder();
  const layers = [];
  for (const file of files) {
    const { diffId, descriptor, open } = await openLayerFile(resolve(cwd, file), {
      shown: file,
      tempFolder,
      signal,
    });
    layers.push({ layer: { diffId, descriptor, name: file }, open });
  }
  return layers;
}

/** A layer of a base image that the store has not needed yet stays in its registry. */
async function leavingAway(
  pushBlob: CopyImageOptions["pushBlob"],
  bench: Workbench,
): Promise<CopyImageOptions["pushBlob"]> {
  const store = await bench.store();
  return async (blob, open, signal) => {
    if (!(await store.blobs.hasBlob(blob)) && (await originsOf(store, blob)).length > 0)
      return { kind: "present" };
    return await pushBlob(blob, open, signal);
  };
}
