import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { BuildError } from "../error.ts";
import { FilesError, type FileTree, LocalTree } from "../files/index.ts";
import { parseGitSource } from "../graph/git-source.ts";
import type { ContextVertex } from "../graph/vertex.ts";
import type { BuildOptions, ContextSource } from "../types.ts";
import { type IgnoreFile, readIgnoreFile } from "./ignore-file.ts";
import type { RemoteSources } from "./remote-sources.ts";
import { unpackContext } from "./unpack-context.ts";

/**
 * The contexts of a build, opened when first read: a folder is looked at where it is, an archive is unpacked into
 * a temporary folder.
 */
export class ContextTrees {
  readonly #dockerfile: BuildOptions["dockerfile"];
  readonly #remote: RemoteSources;
  readonly #tmpDir: string;
  readonly #keepGitDir: boolean;
  readonly #signal: AbortSignal;
  readonly #folders = new Map<ContextSource, Promise<string>>();
  readonly #trees = new Map<string, Promise<FileTree>>();
  readonly #ignoreFiles = new Map<string, Promise<IgnoreFile | undefined>>();
  readonly #singleFiles = new Set<ContextSource>();

  constructor(options: {
    readonly dockerfile: BuildOptions["dockerfile"];
    /** Repositories and URLs. */
    readonly remote: RemoteSources;
    readonly tmpDir: string;
    /** Whether a context that is a repository keeps its .git. */
    readonly keepGitDir: boolean;
    readonly signal: AbortSignal;
  }) {
    this.#dockerfile = options.dockerfile;
    this.#remote = options.remote;
    this.#tmpDir = options.tmpDir;
    this.#keepGitDir = options.keepGitDir;
    this.#signal = options.signal;
  }

  /** The files of a context, without those that its ignore file excludes. @throws {BuildError} INPUT_MISSING */
  open(vertex: ContextVertex): Promise<FileTree> {
    let tree = this.#trees.get(vertex.id);
    if (tree === undefined) {
      tree = this.#open(vertex);
      this.#trees.set(vertex.id, tree);
    }
    return tree;
  }

  /**
   * For the build's own context, whose name is empty: the Dockerfile's ignore file (`NAME.dockerignore`), else the context's.
   * Only folders of this machine have one: as in Docker, an archive or a repository is already what somebody chose to send.
   * @throws {BuildError} INPUT_MISSING; {DockerfileError} for a bad pattern
   */
  ignoreFile(context: Pick<ContextVertex, "context" | "source">): Promise<IgnoreFile | undefined> {
    let file = this.#ignoreFiles.get(context.context);
    if (file === undefined) {
      file = this.#readIgnoreFile(context);
      this.#ignoreFiles.set(context.context, file);
    }
    return file;
  }

  async #readIgnoreFile({
    context,
    source,
  }: Pick<ContextVertex, "context" | "source">): Promise<IgnoreFile | undefined> {
    if (source.kind !== "dir") return undefined;
    const folder = await this.folder(source);
    if (context === "" && this.#dockerfile.kind === "path") {
      const own = await readIgnoreFile(`${resolve(folder, this.#dockerfile.path)}.dockerignore`);
      if (own !== undefined) return own;
    }
    return readIgnoreFile(join(folder, ".dockerignore"));
  }

  /** Names the files whose digests are kept together: one file for each context folder. */
  async digestName(vertex: ContextVertex): Promise<string> {
    return `context ${await this.folder(vertex.source)}`;
  }

  /** The folder of a context: where it is, or where its archive was unpacked. @throws {BuildError} INPUT_MISSING */
  folder(source: ContextSource): Promise<string> {
    let folder = this.#folders.get(source);
    if (folder === undefined) {
      folder = this.#findFolder(source);
      this.#folders.set(source, folder);
    }
    return folder;
  }

  async #open(vertex: ContextVertex): Promise<FileTree> {
    const folder = await this.folder(vertex.source);
    const ignore = await this.ignoreFile(vertex);
    try {
      return new LocalTree(folder, {
        ignore: ignore?.filter,
        explainIgnored: ignore?.explain,
        isUnpacked: isArchive(vertex.source),
      });
    } catch (cause) {
      throw contextMissing(folder, cause);
    }
  }

  /** Whether the context was a URL of one file: then that is its Dockerfile. Known once its folder is. */
  isSingleFile(source: ContextSource): boolean {
    return this.#singleFiles.has(source);
  }

  async #download(source: ContextSource, url: string): Promise<string> {
    const { folder, isSingleFile } = await this.#remote.httpFolder(url, this.#tmpDir);
    if (isSingleFile) this.#singleFiles.add(source);
    return folder;
  }

  async #findFolder(source: ContextSource): Promise<string> {
    switch (source.kind) {
      case "dir": {
        const found = await stat(source.path).catch((cause: unknown) => {
          throw contextMissing(source.path, cause);
        });
        if (found.isDirectory()) return source.path;
        throw new BuildError(
          "INPUT_MISSING",
          `Cannot use "${source.path}" as a build context: it is not a folder`,
        );
      }
      case "tar-stream":
        return unpackContext(
          { stream: source.open(), shownAs: "Standard input" },
          this.#tmpDir,
          this.#signal,
        );
      case "url": {
        const git = parseGitSource(source.url, { allowShorthand: true });
        if (git === undefined) return this.#download(source, source.url);
        return this.#remote.gitFolder(this.#keepGitDir ? { ...git, keepGitDir: true } : git);
      }
      case "docker-image":
      case "oci-layout":
        throw new Error("invariant: images are no contexts of files");
      default:
        return source satisfies never;
    }
  }
}

function isArchive(source: ContextSource): boolean {
  if (source.kind === "tar-stream") return true;
  return source.kind === "url" && parseGitSource(source.url, { allowShorthand: true }) === undefined;
}

function contextMissing(folder: string, cause: unknown): BuildError {
  if (cause instanceof BuildError || cause instanceof FilesError) return cause as BuildError;
  const { code } = cause as NodeJS.ErrnoException;
  const reason =
    code === "ENOENT" ? "it is not there" : code === "EACCES" ? "permission denied" : String(cause);
  return new BuildError("INPUT_MISSING", `Cannot use "${folder}" as a build context: ${reason}`, {
    hint: "The context is the folder named last on the command line, e.g. strake build -t app .",
    cause,
  });
}
