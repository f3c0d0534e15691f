import { join } from "node:path";
import type { Ingredient } from "../../cache/index.ts";
import { type Digest, digestOf, splitDigest, toByteString } from "../../oci/index.ts";
import { writeLayer } from "../../store/layers/index.ts";
import type { BuildStore } from "../collaborators.ts";
import type { OnEvent } from "../events.ts";
import {
  ContentDigestFile,
  type ContentDigests,
  DOWNLOAD_MODE,
  downloadName,
  EMPTY_TREE,
  type CopySource as FileSource,
  type FileTree,
  fingerprintSelection,
  followSources,
  LocalTree,
  parseChecksum,
  planCopy,
  selectFiles,
  verifyChecksum,
} from "../files/index.ts";
import { pathsOf } from "../graph/context-paths.ts";
import type { ContextVertex, CopySource, StateVertex } from "../graph/vertex.ts";
import { redactCredentials } from "../redact-url.ts";
import type { ContextTrees } from "../sources/context-trees.ts";
import { createFilter } from "../sources/ignore-file.ts";
import type { RemoteSources } from "../sources/remote-sources.ts";
import type { LayerAccess } from "./layer-access.ts";
import type { State } from "./state.ts";

export interface SourceFilesOptions {
  readonly store: BuildStore;
  readonly layers: LayerAccess;
  readonly contexts: ContextTrees;
  readonly remote: RemoteSources;
  readonly onEvent: OnEvent;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly signal: AbortSignal;
  /** What all steps take of the build's own context, by its vertex's id. */
  readonly contextPaths: () => ReadonlyMap<string, readonly string[]>;
  /** Time of inline files, in seconds. */
  readonly epochSeconds: number | undefined;
}

const INLINE_MODE = 0o644;

/** The files that COPY, ADD and bind mounts take: from contexts, stages, images, heredocs and the web. */
export class SourceFiles {
  readonly #options: SourceFilesOptions;
  readonly #digestFiles = new Map<string, Promise<ContentDigestFile>>();
  readonly #snapshots = new Map<string, Promise<ContextSnapshot>>();

  constructor(options: SourceFilesOptions) {
    this.#options = options;
  }

  /**
   * What a source of a COPY or ADD selects from.
   * @param beside all sources of the step
   * @throws {BuildError}, {FilesError}
   */
  async open(
    source: CopySource,
    beside: readonly CopySource[],
    solve: (vertex: StateVertex) => Promise<State>,
  ): Promise<FileSource> {
    switch (source.kind) {
      case "tree":
        return {
          kind: "tree",
          tree: await this.#tree(source.from, solve),
          treeName: treeName(source.from),
          path: source.path,
          written: source.written,
          parentsPattern: source.parentsPattern,
          sentPaths: this.#sentPaths(source.from, beside),
        };
      case "inline":
        return {
          kind: "file",
          name: toByteString(source.name),
          content: { kind: "bytes", bytes: source.content },
          size: source.content.length,
          mode: INLINE_MODE,
          mtimeSeconds: this.#options.epochSeconds ?? Math.floor(this.#options.now() / 1000),
        };
      case "http":
        return this.#download(source);
      case "git":
        return {
          kind: "tree",
          tree: new LocalTree(await this.#options.remote.gitFolder(source)),
          treeName: `git repository "${redactCredentials(source.remote)}"`,
          path: "/",
        };
      default:
        return source satisfies never;
    }
  }

  /** The digests of the files of a source: remembered between builds for as long as a file does not change. */
  async digests(source: CopySource): Promise<ContentDigests> {
    if (source.kind === "git") return this.#digestFile(`git ${await this.#options.remote.gitFolder(source)}`);
    if (source.kind !== "tree" || source.from.kind !== "context") return this.#digestFile("layers");
    return this.#digestFile(await this.#options.contexts.digestName(source.from));
  }

  /**
   * What stands for a source from elsewhere without getting it: a repository's commit, a download's promised checksum.
   * Undefined where only the files themselves tell.
   */
  async remoteIdentity(source: CopySource): Promise<string | undefined> {
    if (source.kind === "git") return this.#options.remote.gitIdentity(source);
    if (source.kind !== "http" || source.checksum === undefined) return undefined;
    return `http ${digestOf(source.url)} ${source.checksum} ${source.unpack}`;
  }

  /**
   * Begins to get what a source needs from elsewhere, before its COPY's turn comes. What a key needs anyway is got at once;
   * what only the files need, which a hit in the cache does without, when `isNeeded` resolves.
   * @returns rejects when it cannot be got; may never resolve
   */
  async prefetch(source: CopySource, isNeeded: Promise<void>): Promise<void> {
    const { remote } = this.#options;
    if (source.kind === "http") {
      if (source.checksum !== undefined) await isNeeded;
      await remote.download(source.url);
    } else if (source.kind === "git") {
      await remote.gitIdentity(source);
      await isNeeded;
      await remote.gitFolder(source);
    } else if (source.kind === "tree") await this.prefetchTree(source.from);
  }

  /** Begins to get a context from elsewhere, whose files every key needs; of anything else there is nothing to get. */
  async prefetchTree(from: ContextVertex | StateVertex): Promise<void> {
    if (from.kind === "context" && from.source.kind === "url")
      await this.#options.contexts.folder(from.source);
  }

  /** Writes what was learned about files. */
  async save(): Promise<void> {
    for (const file of this.#digestFiles.values()) await (await file).save();
  }

  /** A folder or file of a context, as an unpacked layer of its own: what a bind mount shows. */
  snapshot(vertex: ContextVertex, path: string): Promise<ContextSnapshot> {
    const key = `${vertex.id} ${path}`;
    let snapshot = this.#snapshots.get(key);
    if (snapshot === undefined) {
      snapshot = this.#openSnapshot(vertex, path);
      this.#snapshots.set(key, snapshot);
    }
    return snapshot;
  }

  async #openSnapshot(vertex: ContextVertex, path: string): Promise<ContextSnapshot> {
    const { contexts, store, signal } = this.#options;
    const tree = await contexts.open(vertex);
    const sources = followSources(tree, treeName(vertex), path);
    const selection = await selectFiles(sources, { exclude: [], createFilter, signal });
    const fingerprint = await fingerprintSelection(selection, {
      contents: await this.#digestFile(await contexts.digestName(vertex)),
      signal,
    });
    let layer: Promise<Digest> | undefined;
    const make = async (): Promise<Digest> => {
      const plan = await planCopy({ destination: "/", unpack: false }, selection, {
        destination: EMPTY_TREE,
        folderMtimeSeconds: 0,
        signal,
      });
      await using pending = await store.layers.prepareSnapshot();
      const packed = await writeLayer(plan.entries, { snapshotDir: pending.upper }, { signal });
      await pending.commit(packed);
      return packed.diffId;
    };
    return { content: fingerprint.digest, layer: () => (layer ??= make()) };
  }

  /** Archives, repositories and downloads are whole where they are read. */
  #sentPaths(
    from: ContextVertex | StateVertex,
    beside: readonly CopySource[],
  ): readonly string[] | undefined {
    if (from.kind !== "context" || from.source.kind !== "dir") return undefined;
    return from.context === "" ? this.#options.contextPaths().get(from.id) : pathsOf(beside, from);
  }

  async #tree(
    vertex: ContextVertex | StateVertex,
    solve: (vertex: StateVertex) => Promise<State>,
  ): Promise<FileTree> {
    if (vertex.kind === "context") return this.#options.contexts.open(vertex);
    return this.#options.layers.tree(await solve(vertex));
  }

  async #download(source: CopySource & { readonly kind: "http" }): Promise<FileSource> {
    const file = await this.#options.remote.download(source.url);
    if (source.checksum !== undefined)
      await this.#verify(redactCredentials(source.url), source.checksum, file);
    return {
      kind: "file",
      name: downloadName(source.url),
      content: {
        kind: "file",
        hostPath: toByteString(file.path),
        digest: `sha256:${file.sha256}` as Digest,
      },
      size: file.size,
      mode: DOWNLOAD_MODE,
      unpack: source.unpack,
      mtimeSeconds: file.mtimeSeconds,
    };
  }

  async #verify(
    url: string,
    checksum: string,
    file: { readonly path: string; readonly sha256: string },
  ): Promise<void> {
    const expected = parseChecksum(checksum);
    if (expected.algorithm === "sha256") return verifyChecksum(url, expected, file.sha256);
    const { createHash } = await import("node:crypto");
    const { createReadStream } = await import("node:fs");
    const hash = createHash(expected.algorithm);
    for await (const chunk of createReadStream(file.path)) hash.update(chunk as Uint8Array);
    verifyChecksum(url, expected, hash.digest("hex"));
  }

  #digestFile(name: string): Promise<ContentDigestFile> {
    let file = this.#digestFiles.get(name);
    if (file === undefined) {
      const path = join(
        this.#options.store.root,
        "cache",
        "digests",
        splitDigest(digestOf(name)).hex.slice(0, 32),
      );
      file = ContentDigestFile.open(path, { now: this.#options.now });
      this.#digestFiles.set(name, file);
    }
    return file;
  }
}

/** A part of a context: what stands for its content in a key, and the layer that it is made into when asked for. */
interface ContextSnapshot {
  readonly content: Ingredient;
  readonly layer: () => Promise<Digest>;
}

function treeName(vertex: ContextVertex | StateVertex): string {
  if (vertex.kind !== "context") return vertex.name;
  return vertex.context === "" ? "the build context" : `context "${vertex.context}"`;
}
