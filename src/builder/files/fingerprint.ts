import { createHash, type Hash, hash } from "node:crypto";
import type { Digest } from "../../oci/digest.ts";
import { type ByteString, fromByteString, toByteString } from "../../oci/layer-entry.ts";
import type { ModeChange } from "./chmod.ts";
import type { ContentDigests } from "./content-digests.ts";
import { WorkSlices } from "./pause.ts";
import type { SelectedSource, Selection } from "./selection.ts";
import type { Owner, TreeNode } from "./types.ts";

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
  /** sha256 in hex of each regular file, by host path: saves hashing it again for the layer. */
  readonly contentDigests: () => ReadonlyMap<string, string>;
  /** What the digest was made of. Built when asked for: most of the time nobody wants to know. */
  readonly ingredients: () => readonly FileIngredient[];
}

export interface FingerprintOptions {
  readonly contents: ContentDigests;
  /** Set when the step gives all files one owner or mode: then their own do not count. */
  readonly owner?: Owner | undefined;
  readonly chmod?: ModeChange | undefined;
  /** Reads `security.capability` by host path (latin1). */
  readonly readCapability?: ((hostPath: string) => Uint8Array | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Hashes a selection: paths, kinds, modes, owners, link targets, capabilities and bytes, but no times. */
export async function fingerprintSelection(
  selection: Selection,
  options: FingerprintOptions,
): Promise<Fingerprint> {
  const digests: [hostPath: string, digest: string][] = [];
  const facts = new FactList();
  const slices = new WorkSlices();
  for (const [index, source] of selection.sources.entries()) {
    if (source.kind === "file") {
      facts.add(index, await inlineFacts(source, options, slices));
      continue;
    }
    for (const root of source.roots) {
      const firstNames = new Map<string, ByteString>();
      // A file named by itself and the same file as a folder's only content end up in different places.
      if (root.isDir) facts.add(index, CONTENTS_OF_FOLDER);
      for (const entry of root.entries) {
        if (slices.isDue()) await slices.pause(options.signal);
        // Of a folder only the contents are copied; what it is like itself plays no part.
        if (root.isDir && entry.path === "") continue;
        const path = entry.path === "" ? root.name : entry.path;
        const { node } = entry;
        const firstName = node.hardlinkId === undefined ? undefined : firstNames.get(node.hardlinkId);
        if (node.hardlinkId !== undefined && firstName === undefined) firstNames.set(node.hardlinkId, path);
        let digest = "";
        let capability = "";
        if (node.kind === "file" && firstName === undefined) {
          digest =
            options.contents.lookup(node) ??
            (await options.contents.hash(node, { slices, signal: options.signal }));
          digests.push([node.hostPath, digest]);
          if (source.keepsXattrs) capability = toHex(options.readCapability?.(node.hostPath));
        }
        const { mode, owner } = ownFacts(node, options);
        const kind = firstName !== undefined ? "hardlink" : entry.isImplied ? "parent" : node.kind;
        facts.add(index, { path, kind, mode, owner, digest, capability, link: firstName ?? linkOf(node) });
      }
    }
  }
  return {
    digest: facts.digest(),
    contentDigests: () => new Map(digests),
    ingredients: () => facts.toIngredients(),
  };
}

/** "" where something does not apply or does not count. */
interface Facts {
  readonly path: ByteString;
  readonly kind: string;
  readonly mode: string;
  readonly owner: string;
  readonly digest: string;
  readonly link: string;
  readonly capability: string;
}

const CONTENTS_OF_FOLDER: Facts = {
  path: "" as ByteString,
  kind: "contents",
  mode: "",
  owner: "",
  digest: "",
  link: "",
  capability: "",
};

const FIELDS = 8;
const HASH_CHARACTERS = 64 * 1024;

/** The facts as text: fields end with a NUL, which no path has, so that no two lists read the same. */
class FactList {
  readonly #parts: string[] = [];
  #text = "";
  readonly #hash: Hash = createHash("sha256");

  add(source: number, facts: Facts): void {
    const { path, kind, mode, owner, digest, link, capability } = facts;
    this.#text += `${source}\0${path}\0${kind}\0${mode}\0${owner}\0${digest}\0${link}\0${capability}\0`;
    if (this.#text.length > HASH_CHARACTERS) this.#flush();
  }

  digest(): Digest {
    this.#flush();
    return `sha256:${this.#hash.copy().digest("hex")}` as Digest;
  }

  toIngredients(): readonly FileIngredient[] {
    const fields = this.#parts.join("").split("\0") as ByteString[];
    const ingredients: FileIngredient[] = [];
    for (let at = 0; at + FIELDS <= fields.length; at += FIELDS) {
      const [source, path, kind, mode, owner, digest, link, capability] = fields.slice(
        at,
        at + FIELDS,
      ) as ByteString[];
      ingredients.push({
        source: Number(source),
        path: fromByteString(path as ByteString),
        kind: kind as string,
        ...(mode && { mode }),
        ...(owner && { owner }),
        ...(digest && { digest }),
        ...(link && { link: fromByteString(link) }),
        ...(capability && { capability }),
      });
    }
    return ingredients;
  }

  #flush(): void {
    this.#hash.update(this.#text, "latin1");
    this.#parts.push(this.#text);
    this.#text = "";
  }
}

/** Mode and owner, where the step does not set others. */
function ownFacts(node: TreeNode, options: FingerprintOptions): Pick<Facts, "mode" | "owner"> {
  return {
    mode: options.chmod?.kind === "octal" || node.kind === "symlink" ? "" : node.mode.toString(8),
    owner: options.owner === undefined ? `${node.uid}:${node.gid}` : "",
  };
}

function linkOf(node: TreeNode): string {
  if (node.link !== undefined) return node.link;
  return node.major === undefined ? "" : `${node.major}:${node.minor ?? 0}`;
}

async function inlineFacts(
  source: Extract<SelectedSource, { kind: "file" }>,
  options: FingerprintOptions,
  slices: WorkSlices,
): Promise<Facts> {
  const { name, content, size, mode, mtimeSeconds } = source;
  return {
    path: name,
    kind: "file",
    mode: mode.toString(8),
    owner: "",
    digest: await inlineDigest(),
    link: "",
    capability: "",
  };

  async function inlineDigest(): Promise<string> {
    if (content.kind === "bytes") return hash("sha256", content.bytes, "hex");
    if (content.digest?.startsWith("sha256:")) return content.digest.slice("sha256:".length);
    const node: TreeNode = {
      kind: "file",
      mode,
      uid: 0,
      gid: 0,
      mtimeSeconds,
      size,
      hostPath: content.hostPath,
    };
    return options.contents.lookup(node) ?? options.contents.hash(node, { slices, signal: options.signal });
  }
}

function toHex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : toByteString(Buffer.from(bytes).toString("hex"));
}
