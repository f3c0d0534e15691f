import { reportTransfer, runStep } from "../../builder/remote/index.ts";
import {
  artifactTypeOf,
  type Descriptor,
  type FetchedManifest,
  formatReference,
  isImageConfigType,
  type Platform,
} from "../../oci/index.ts";
import {
  type ArtifactEntry,
  type ArtifactListing,
  fetchArtifact,
  listArtifactFiles,
} from "../../registry/index.ts";
import type { CommandContext } from "../command.ts";
import { CliError } from "../error.ts";
import { type OpenedSource, openSource } from "../images/open-source.ts";
import { Workbench } from "../images/workbench.ts";
import { formatBytes } from "../progress/format.ts";
import { openView } from "../progress/open-view.ts";
import { progressKind } from "../progress/progress-flags.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";
import { oneLine } from "../text.ts";
import type { ArtifactPlace } from "./artifact-place.ts";
import { chooseEntries } from "./choose-entries.ts";
import { findAttached } from "./find-attached.ts";
import { pullFiles } from "./pull-files.ts";

export interface PullArtifactRequest {
  /** As the person wrote it. */
  readonly folder: string;
  readonly overwrite: boolean;
  readonly include: readonly string[];
  readonly all: boolean;
  readonly platform: Platform | undefined;
  /** Not the artifact of that name, but what of this type is attached to it. */
  readonly attached: string | undefined;
  readonly quiet: boolean;
  readonly progress: string | undefined;
  readonly json: boolean;
}

/** Makes the files of an artifact, and prints what there is now. */
export async function pullArtifact(
  place: ArtifactPlace,
  { folder, overwrite, include, all, platform, attached, json, ...progress }: PullArtifactRequest,
  context: CommandContext,
): Promise<undefined> {
  const { nowMs, settings, signal, stdout, stderr } = context;
  const kind = progressKind(progress, settings);
  const view = await openView(kind, "Pulling", context);
  const { onEvent } = view;
  const vertex = `pulling ${place.text}`;
  await using bench = new Workbench(context, {
    onEvent,
    onRegistryEvent: (event) => {
      // Whoever writes the bytes down tells of them.
      if (!event.kind.startsWith("blob-")) reportTransfer(event, vertex, onEvent);
    },
  });
  const remarks: string[] = [];
  try {
    await using source = await openSource(place, bench);
    const { from } = source;
    const onCorrupt = async ({ digest }: Descriptor): Promise<void> => {
      if (place.kind === "registry")
        (await bench.client()).repository(place.reference).distrustMirrors(digest);
    };
    const result = await runStep({ vertex, name: vertex, onEvent, nowMs, signal }, async () => {
      const artifact = await fetchWanted(place, source, { attached, platform, bench });
      const listing = listArtifactFiles(artifact.manifest);
      const entries = chooseEntries(listing, { include, all });
      if (entries.length === 0 && listing.unnamed.length > 0) throw nothingNamed(place, artifact);
      const onKept = (text: string): void => void remarks.push(text);
      if (entries.length > 0)
        await pullFiles(entries, { from, bench, vertex, shown: folder, overwrite, onCorrupt, onKept });
      return { artifact, listing, entries };
    });
    const { artifact, listing, entries } = result;
    const left = all ? [] : listing.unnamed;
    view.close();
    if (json) {
      stdout.write(`${JSON.stringify(asJson(place, artifact, { folder, entries, left }))}\n`);
    } else {
      stdout.write(entries.map((entry) => `${oneLine(shownPath(folder, entry))}\n`).join(""));
      remarks.push(...describeRest(listing, left));
    }
  } finally {
    view.close();
    if (kind !== "quiet" && kind !== "rawjson") for (const text of remarks) stderr.write(`${text}\n`);
  }
  return undefined;
}

async function fetchWanted(
  place: ArtifactPlace,
  source: OpenedSource,
  {
    attached,
    platform,
    bench,
  }: Pick<PullArtifactRequest, "attached" | "platform"> & { readonly bench: Workbench },
): Promise<FetchedManifest> {
  const { signal } = bench.context;
  const { from, name } = source;
  if (attached !== undefined) {
    const digest = await findAttached(source, place, { attached, platform, bench });
    return await fetchArtifact(from, digest, { signal });
  }
  const fetch = () => fetchArtifact(from, name, { platform, signal });
  if (place.kind !== "registry") return await fetch();
  return await suggestingTags(await bench.client(), place.reference, fetch, signal);
}

function describeRest({ entries, unnamed }: ArtifactListing, left: readonly Descriptor[]): readonly string[] {
  if (entries.length === 0 && unnamed.length === 0) return ["The artifact has no files"];
  return left.map(
    ({ digest, mediaType, size }) =>
      `Left out, because it has no name: ${digest} (${oneLine(mediaType)}, ${formatBytes(size)}); --all takes it too`,
  );
}

function nothingNamed({ text }: ArtifactPlace, { manifest }: FetchedManifest): CliError {
  const { mediaType } = manifest.config;
  const isImage = isImageConfigType(mediaType);
  return new CliError("INPUT_UNUSABLE", `Cannot make files of "${text}": none of its layers has a name`, {
    hint: isImage
      ? "It is an image: strake pull takes it, and strake artifact pull --all its layers as they are"
      : "--all writes each to a file called by its digest",
  });
}

function shownPath(folder: string, { path, kind }: ArtifactEntry): string {
  const full = folder === "." ? path : `${folder.replace(/\/+$/, "")}/${path}`;
  return kind === "folder" ? `${full.replace(/\/+$/, "") || "."}/` : full;
}

function asJson(
  place: ArtifactPlace,
  { descriptor, manifest }: FetchedManifest,
  {
    folder,
    entries,
    left,
  }: {
    readonly folder: string;
    readonly entries: readonly ArtifactEntry[];
    readonly left: readonly Descriptor[];
  },
): object {
  const { digest, mediaType } = descriptor;
  const { annotations = {} } = manifest;
  return {
    name:
      place.kind === "registry"
        ? formatReference({ ...place.reference, digest })
        : `${place.kind}:${place.shown}@${digest}`,
    digest,
    mediaType,
    artifactType: artifactTypeOf(manifest),
    annotations,
    files: entries.map((entry) => ({
      path: shownPath(folder, entry),
      kind: entry.kind,
      mediaType: entry.descriptor.mediaType,
      digest: entry.descriptor.digest,
      size: entry.descriptor.size,
    })),
    leftOut: left.map((blob) => ({ mediaType: blob.mediaType, digest: blob.digest, size: blob.size })),
  };
}
