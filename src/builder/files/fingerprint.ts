import { createHash, hash } from "node:crypto";
import type { Digest } from "../../oci/digest.ts";
import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
import type { ModeChange } from "./chmod.ts";
import type { ContentDigests } from "./content-digests.ts";
import { WorkSlices } from "./pause.ts";
import type { SelectedEntry, SelectedSource, Selection } from "./selection.ts";
import type { Owner } from "./types.ts";

/** What of one selected file decides a COPY's result, for telling later what has changed. */
export interface FileIngredient {
  /** Which source it came from, from 0. */
  readonly source: number;
  /** Path below what was selected, as text; the name itself for a single file. */
  readonly path: string;
  readonly kind: string;
  /** Octal; absent where the step sets another. */
  readonly mode?: string;
  /** `uid:gid`; absent where the step sets another. */
  readonly owner?: string;
  /** sha256 in hex of a file's bytes. */
  readonly digest?: string;
  /** A symlink's target, a device's numbers, or the first name of the same file. */
  readonly link?: string;
  /** security.capability in hex. */
  readonly capability?: string;
}

/** A selection's identity: equal for equal layers, times left out. */
export interface Fingerprint {
  readonly digest: Digest;
  readonly ingredients: readonly FileIngredient[];
  /** sha256 in hex of each regular file, by host path: saves hashing it again for the layer. */
  readonly contentDigests: ReadonlyMap<string, string>;
}

export interface FingerprintOptions {
  readonly contents: ContentDigests;
  /** Set when the step gives all files one owner or mode: then their own do not count. */
  readonly owner?: Owner | undefined;
  readonly chmod?: ModeChange | undefined;
  readonly readCapability?: ((hostPath: string) => Uint8Array | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Hashes a selection: paths, kinds, modes, owners, link targets, capabilities and bytes, but no times. */
export async function fingerprintSelection(
  selection: Selection,
  options: FingerprintOptions,
): Promise<Fingerprint> {
  const ingredients: FileIngredient[] = [];
  const contentDigests = new Map<string, string>();
  const slices = new WorkSlices();
  const digest = createHash("sha256");
  const add = (ingredient: FileIngredient): void => {
    ingredients.push(ingredient);
    const { source, path, kind, mode, owner, digest: content, link, capability } = ingredient;
    digest.update(`${JSON.stringify([source, path, kind, mode, owner, content, link, capability])}\n`);
  };

  for (const [index, source] of selection.sources.entries()) {
    if (source.kind === "file") {
      add(await inlineIngredient(source, index, options, slices));
      continue;
    }
    for (const root of source.roots) {
      const firstNames = new Map<string, string>();
      for (const entry of root.entries) {
        if (slices.isDue()) await slices.pause(options.signal);
        // Of a folder only the contents are copied; what it is like itself plays no part.
        if (root.isDir && entry.path === "") continue;
        add(
          await fileIngredient(entry, {
            root: root.name,
            index,
            firstNames,
            contentDigests,
            slices,
            ...options,
          }),
        );
      }
    }
  }
  return { digest: `sha256:${digest.digest("hex")}` as Digest, ingredients, contentDigests };
}

interface EntryContext extends FingerprintOptions {
  readonly root: ByteString;
  readonly index: number;
  readonly firstNames: Map<string, string>;
  readonly contentDigests: Map<string, string>;
  readonly slices: WorkSlices;
}

async function fileIngredient(entry: SelectedEntry, context: EntryContext): Promise<FileIngredient> {
  const { node } = entry;
  const path = fromByteString(entry.path === "" ? context.root : entry.path);
  const firstName = node.hardlinkId === undefined ? undefined : context.firstNames.get(node.hardlinkId);
  if (node.hardlinkId !== undefined && firstName === undefined) context.firstNames.set(node.hardlinkId, path);
  const isFile = node.kind === "file";
  const content = isFile && firstName === undefined ? await contentDigest(entry, context) : undefined;
  const capability = isFile ? context.readCapability?.(node.hostPath) : undefined;
  const link =
    firstName ??
    (node.link === undefined
      ? node.major === undefined
        ? undefined
        : `${node.major}:${node.minor}`
      : fromByteString(node.link));
  return {
    source: context.index,
    path,
    kind: entry.isImplied ? "parent" : firstName === undefined ? node.kind : "hardlink",
    ...(context.chmod?.kind !== "octal" && node.kind !== "symlink" && { mode: node.mode.toString(8) }),
    ...(context.owner === undefined && { owner: `${node.uid}:${node.gid}` }),
    ...(content !== undefined && { digest: content }),
    ...(link !== undefined && { link }),
    ...(capability !== undefined && { capability: Buffer.from(capability).toString("hex") }),
  };
}

async function contentDigest({ node }: SelectedEntry, context: EntryContext): Promise<string> {
  const digest = await context.contents.digestOf(node, { slices: context.slices, signal: context.signal });
  context.contentDigests.set(node.hostPath, digest);
  return digest;
}

async function inlineIngredient(
  source: Extract<SelectedSource, { kind: "file" }>,
  index: number,
  options: FingerprintOptions,
  slices: WorkSlices,
): Promise<FileIngredient> {
  const { content, size, mode, mtimeSeconds } = source;
  const digest =
    content.kind === "bytes"
      ? hash("sha256", content.bytes, "hex")
      : await options.contents.digestOf(
          { kind: "file", mode, uid: 0, gid: 0, mtimeSeconds, size, hostPath: content.hostPath },
          { slices, signal: options.signal },
        );
  return { source: index, path: fromByteString(source.name), kind: "file", mode: mode.toString(8), digest };
}
