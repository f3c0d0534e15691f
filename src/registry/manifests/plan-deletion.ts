import { type Descriptor, type Digest, isDigest, isIndexType } from "../../oci/index.ts";
import { RegistryError } from "../error.ts";
import type { HostSession } from "../host-session.ts";
import { runParallel } from "../parallel.ts";
import { fetchManifest, showName } from "./fetch-manifest.ts";
import { resolveTags } from "./resolve-tags.ts";

const PARALLEL_INDEXES = 8;
/** As deep as indexes are followed anywhere, and as many entries. */
const MAX_DEPTH = 4;
const MAX_ENTRIES = 10_000;

export interface DeletionRequest {
  readonly repository: string;
  /** Tags and digests. */
  readonly names: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** What has to be deleted so that images and all that they list are gone, and nothing that others need. */
export interface DeletionPlan {
  /** Tags of images that have others, which stay. */
  readonly tags: readonly string[];
  /** Each before what it lists. */
  readonly manifests: readonly Descriptor[];
  /** What the images list and a tag that stays names too, if only through an index. */
  readonly kept: readonly { readonly descriptor: Descriptor; readonly tag: string }[];
  /** Names that are not there. */
  readonly missing: readonly string[];
}

/** The top of an image; its type and size are known where a tag led to it. */
type Root = Pick<Descriptor, "digest"> & Partial<Descriptor>;
type Tree = ReadonlyMap<Digest, Descriptor>;

/**
 * Finds what deleting images with all that their indexes list comes to. A tag takes its image along if it is the last
 * one; a digest takes all its tags along. Looks at every tag of the repository. An index without a tag does not protect what
 * it lists: nobody can find it.
 * @throws {RegistryError} REFUSED for a digest that the index of a tag that stays lists
 */
export async function planDeletion(session: HostSession, request: DeletionRequest): Promise<DeletionPlan> {
  const { repository, signal } = request;
  const names = [...new Set(request.names)];
  const tagged = await resolveTags(session, { repository, signal });
  const roots = new Map<string, Root>();
  for (const name of names) {
    const root = isDigest(name) ? { digest: name } : tagged.get(name);
    if (root !== undefined) roots.set(name, root);
  }
  const whole = new Set<string>(names.filter(isDigest));
  const staying = [...tagged].filter(([tag, { digest }]) => !roots.has(tag) && !whole.has(digest));
  const trees = new Map<Digest, Tree>();
  const all = new Map([...staying, ...roots].map(([, root]) => [root.digest, root]));
  const walk = async (root: Root, inner: AbortSignal): Promise<void> => {
    trees.set(root.digest, await listTree(session, { repository, root, signal: inner }));
  };
  await runParallel([...all.values()], PARALLEL_INDEXES, walk, signal);

  const keeper = new Map<Digest, string>();
  for (const [tag, { digest }] of staying) {
    for (const below of trees.get(digest)?.keys() ?? []) if (!keeper.has(below)) keeper.set(below, tag);
  }

  const tags: string[] = [];
  const missing: string[] = [];
  const manifests = new Map<Digest, Descriptor>();
  const kept = new Map<Digest, { readonly descriptor: Descriptor; readonly tag: string }>();
  for (const name of names) {
    const root = roots.get(name)?.digest;
    const tree = root === undefined ? undefined : trees.get(root);
    const keeping = root === undefined ? undefined : keeper.get(root);
    if (tree === undefined || tree.size === 0) {
      missing.push(name);
    } else if (keeping === undefined) {
      for (const [digest, descriptor] of tree) {
        const tag = keeper.get(digest);
        if (tag === undefined) manifests.set(digest, descriptor);
        else kept.set(digest, { descriptor, tag });
      }
    } else {
      if (isDigest(name)) throw stillListed(session, repository, { name, tag: keeping });
      tags.push(name);
    }
  }
  return { tags, manifests: [...manifests.values()], kept: [...kept.values()], missing };
}

/** A manifest or index and everything that it lists, parents first. What is listed and not there is left out. */
async function listTree(
  session: HostSession,
  {
    repository,
    root,
    signal,
  }: { readonly repository: string; readonly root: Root; readonly signal: AbortSignal },
): Promise<Tree> {
  const found = new Map<Digest, Descriptor>();
  const visit = async (name: Digest, listedAs: Descriptor | undefined, depth: number): Promise<void> => {
    // Manifests list nothing, so an entry that says it is one need not be fetched.
    if (listedAs !== undefined && !isIndexType(listedAs.mediaType)) {
      found.set(name, listedAs);
      return;
    }
    let document: Awaited<ReturnType<typeof fetchManifest>>;
    try {
      document = await fetchManifest(session, { repository, name, signal });
    } catch (error) {
      if (error instanceof RegistryError && error.code === "MANIFEST_NOT_FOUND") return;
      throw error;
    }
    found.set(name, { ...document.descriptor, ...listedAs });
    if (document.kind !== "index") return;
    const entries = document.index.manifests.filter((entry) => !found.has(entry.digest));
    if (entries.length > 0 && (depth >= MAX_DEPTH || found.size + entries.length > MAX_ENTRIES)) {
      throw new RegistryError(
        "REFUSED",
        `Cannot tell what "${showName(session.registry, repository, root.digest)}" lists: it is nested too deep or lists too much`,
        { registry: session.registry, repository },
      );
    }
    for (const entry of entries) await visit(entry.digest, entry, depth + 1);
  };
  await visit(root.digest, root.mediaType === undefined ? undefined : (root as Descriptor), 0);
  return found;
}

function stillListed(
  { registry }: HostSession,
  repository: string,
  { name, tag }: { readonly name: string; readonly tag: string },
): RegistryError {
  return new RegistryError(
    "REFUSED",
    `Cannot delete "${showName(registry, repository, name)}": the index of tag ${tag} lists it`,
    { registry, repository, hint: `Delete ${showName(registry, repository, tag)} first, or with it` },
  );
}
