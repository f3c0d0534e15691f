import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Ingredients } from "../../cache/index.ts";
import type { Digest } from "../../oci/index.ts";
import { writeLayer } from "../../store/layers/index.ts";
import type { PackedLayer, SourcedEntry } from "../../store/layers/types.ts";
import { Xattrs } from "../../sys/index.ts";
import {
  type ContentDigests,
  EMPTY_TREE,
  type CopySource as FileSource,
  type Fingerprint,
  fingerprintSelection,
  namesSomebody,
  type Owner,
  parseChmod,
  planCopy,
  planWorkdir,
  resolveOwner,
  type Selection,
  selectFiles,
} from "../files/index.ts";
import type { CopySource, CopyVertex, WorkdirVertex } from "../graph/vertex.ts";
import { createFilter } from "../sources/ignore-file.ts";
import type { State } from "./state.ts";
import type { MadeLayer, StepContext, StepVertex } from "./step.ts";

/** How a COPY gets at what it takes files from. */
export interface CopyInputs {
  /** The files of a source, and what to call it in messages; downloads and clones where it takes that. */
  readonly open: (source: CopySource) => Promise<FileSource>;
  readonly digests: (source: CopySource) => Promise<ContentDigests>;
  /** The identity of a source whose content is known without reading files: a stage's or an image's. */
  readonly identity: (source: CopySource) => Promise<string | undefined>;
}

/** What a COPY takes, read once for its key and for its layer. */
export interface CopySelection {
  readonly selection: Selection;
  readonly fingerprint: Fingerprint;
  readonly owner: Owner | undefined;
}

/**
 * A key made without reading a file, for a COPY that takes all it takes from stages and images: when it is known, so is
 * the full key. Undefined when the COPY reads a context.
 */
export async function cheapCopyKey(
  vertex: CopyVertex,
  parent: State,
  inputs: CopyInputs,
): Promise<Ingredients | undefined> {
  const sources: string[] = [];
  for (const source of vertex.sources) {
    const identity = await inputs.identity(source);
    if (identity === undefined) return undefined;
    const path = source.kind === "tree" ? [source.path, source.parentsPattern ?? null] : [];
    sources.push(JSON.stringify([identity, ...path]));
  }
  return { ...copyIngredients(vertex, parent), sources };
}

/** Selects the files of a COPY and hashes them. @throws {FilesError} SOURCE_NOT_FOUND and others, without a place */
export async function selectForCopy(
  context: StepContext,
  vertex: CopyVertex,
  parent: State,
  inputs: CopyInputs,
): Promise<CopySelection> {
  const { signal } = context;
  const sources = await Promise.all(vertex.sources.map((source) => inputs.open(source)));
  const selection = await selectFiles(sources, { exclude: vertex.exclude, createFilter, signal });
  const owner = await ownerOf(context, vertex, parent);
  const [first] = vertex.sources;
  const fingerprint = await fingerprintSelection(selection, {
    contents: await inputs.digests(first as CopySource),
    owner,
    chmod: vertex.chmod === undefined ? undefined : parseChmod(vertex.chmod),
    readCapability: capabilityReader(),
    signal,
  });
  return { selection, fingerprint, owner };
}

/** The ingredients of a COPY's or ADD's cache key. */
export function copyKey(vertex: CopyVertex, parent: State, selected: CopySelection): Ingredients {
  const { fingerprint, owner } = selected;
  return {
    ...copyIngredients(vertex, parent),
    owner: owner === undefined ? null : `${owner.uid}:${owner.gid}`,
    content: fingerprint.digest,
  };
}

function copyIngredients(vertex: CopyVertex, parent: State): Ingredients {
  return {
    operation: vertex.instruction === "ADD" ? "add" : "copy",
    // --link makes a layer that does not depend on what it lands on: it is a hit on any parent.
    parent: vertex.link ? null : parent.identity,
    destination: vertex.destination,
    chown: vertex.chown ?? null,
    chmod: vertex.chmod ?? null,
    link: vertex.link,
    exclude: vertex.exclude,
    unpack: vertex.unpack,
    ...(vertex.isUnpackAsked === undefined ? {} : { isUnpackAsked: true }),
    epochSeconds: vertex.epochSeconds ?? null,
  };
}

/** Makes the layer of a COPY or ADD. */
export async function makeCopyLayer(
  context: StepContext,
  vertex: CopyVertex,
  parent: State,
  selected: CopySelection,
): Promise<MadeLayer> {
  const { signal } = context;
  const startedSeconds = Math.floor(context.now() / 1000) - 1;
  // Archives are unpacked here before they go into the layer.
  const scratchDir = await mkdtemp(join(context.store.tmpDir, "copy-"));
  try {
    const plan = await planCopy(
      {
        destination: vertex.destination,
        owner: selected.owner,
        chmod: vertex.chmod === undefined ? undefined : parseChmod(vertex.chmod),
        unpack: vertex.unpack,
        isUnpackAsked: vertex.isUnpackAsked,
      },
      selected.selection,
      {
        destination: vertex.link ? EMPTY_TREE : await context.layers.tree(parent),
        folderMtimeSeconds: vertex.epochSeconds ?? Math.floor(context.now() / 1000),
        readCapability: capabilityReader(),
        scratchDir,
        searchPath: context.environment?.["PATH"],
        signal,
      },
    );
    for (const message of plan.notes) context.onEvent({ kind: "warning", message });
    const entries = withDigests(plan.entries, selected.fingerprint.contentDigests());
    return await packEntries(context, vertex, entries, startedSeconds);
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}

/** Spares hashing again what was hashed for the key. */
function* withDigests(
  entries: readonly SourcedEntry[],
  digests: ReadonlyMap<string, string>,
): Generator<SourcedEntry> {
  for (const entry of entries) {
    const hex = entry.content?.kind === "file" ? digests.get(entry.content.hostPath) : undefined;
    if (hex === undefined || entry.content?.kind !== "file") yield entry;
    else yield { ...entry, content: { ...entry.content, digest: `sha256:${hex}` as Digest } };
  }
}

/** Reads a file's capabilities; the one extended attribute that copies keep. */
function capabilityReader(): (hostPath: string) => Uint8Array | undefined {
  const xattrs = new Xattrs();
  return (hostPath) => xattrs.get(hostPath, "security.capability");
}

/** Makes the layer of a WORKDIR: the folders that were missing, or nothing. */
export async function makeWorkdirLayer(
  context: StepContext,
  vertex: WorkdirVertex,
  parent: State,
): Promise<MadeLayer> {
  const tree = await context.layers.tree(parent);
  const { uid, gid } =
    vertex.user === ""
      ? { uid: 0, gid: 0 }
      : resolveOwner(vertex.user, parent.layers.length === 0 ? undefined : tree);
  const folderMtimeSeconds = vertex.epochSeconds ?? Math.floor(context.now() / 1000);
  const entries = planWorkdir(vertex.path, tree, { owner: { uid, gid }, folderMtimeSeconds });
  return packEntries(context, vertex, entries, folderMtimeSeconds - 1);
}

/** The ingredients of a WORKDIR's cache key. */
export function workdirKey(vertex: WorkdirVertex, parent: State): Ingredients {
  return {
    operation: "workdir",
    parent: parent.identity,
    path: vertex.path,
    user: vertex.user,
    epochSeconds: vertex.epochSeconds ?? null,
  };
}

async function ownerOf(context: StepContext, vertex: CopyVertex, parent: State): Promise<Owner | undefined> {
  if (vertex.chown === undefined) return undefined;
  // Numbers need no look-up, and then nothing of the parent has to be there. Names cannot be looked up in nothing: that
  // is what --link copies onto, and FROM scratch.
  const hasTree = namesSomebody(vertex.chown) && !vertex.link && parent.layers.length > 0;
  return resolveOwner(vertex.chown, hasTree ? await context.layers.tree(parent) : undefined);
}

/**
 * Packs entries as a layer: as an unpacked snapshot when a later step reads its files, else as a tar, which is
 * one file to write instead of thousands.
 */
async function packEntries(
  context: StepContext,
  vertex: StepVertex,
  entries: Iterable<SourcedEntry>,
  startedSeconds: number,
): Promise<MadeLayer> {
  const { store, signal } = context;
  const options = { recentSinceSeconds: startedSeconds, signal };
  if (context.isRead(vertex)) {
    const pending = await store.layers.prepareSnapshot();
    return whileOpen(pending, async () => {
      const packed = await writeLayer(entries, { snapshotDir: pending.upper }, options);
      return madeLayer(pending, packed, async () => void (await pending.commit(packed)));
    });
  }
  const pending = await store.layers.prepareTar();
  return whileOpen(pending, async () => {
    const packed = await writeLayer(entries, { onTarChunk: (chunk) => pending.write(chunk) }, options);
    return madeLayer(pending, packed, async () => void (await pending.commit(packed)));
  });
}

function madeLayer(pending: AsyncDisposable, packed: PackedLayer, commit: () => Promise<void>): MadeLayer {
  const { diffId, treeId } = packed;
  return { diffId, treeId, commit, [Symbol.asyncDispose]: () => pending[Symbol.asyncDispose]() };
}

/** Hands an open resource on in what `work` makes of it; disposes it when that fails. */
async function whileOpen<T>(pending: AsyncDisposable, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await pending[Symbol.asyncDispose]();
    throw error;
  }
}
