import { setMaxListeners } from "node:events";
import { chmod, copyFile, lutimes, mkdtemp, open } from "node:fs/promises";
import { join } from "node:path";
import type { Collaborators, SourceStore } from "../collaborators.ts";
import type { GitSource } from "../graph/git-source.ts";
import { redactCredentials } from "../redact-url.ts";
import { runStep } from "../run-step.ts";
import type { BuildOptions } from "../types.ts";
import type { GitSources } from "./git/index.ts";
import type { HttpClient } from "./http/http-client.ts";
import { type DownloadedFile, downloadFile } from "./http-file.ts";
import { KeptSources } from "./kept-sources.ts";
import { ARCHIVE_HEAD_BYTES, looksLikeArchive } from "./looks-like-archive.ts";
import { unpackContext } from "./unpack-context.ts";

/** What a URL that is no archive is called in the context that it makes: BuildKit's name for it. */
export const SINGLE_FILE_NAME = "context";

/** What getting sources needs of a build's surroundings. */
export interface SourceCollaborators extends Pick<Collaborators, "now" | "monotonic" | "environment"> {
  readonly store: SourceStore;
}

/**
 * Everything that a build gets from elsewhere but images: repositories and downloads, each once, with the build's secrets.
 * Their code is loaded when the first is asked for. Close it after the build: what was got may then be removed.
 */
export class RemoteSources {
  readonly #collaborators: SourceCollaborators;
  readonly #options: Pick<BuildOptions, "secrets" | "ssh" | "onEvent">;
  readonly #signal: AbortSignal;
  readonly #closing = new AbortController();
  readonly #kept: KeptSources;
  readonly #downloads = new Map<string, Promise<DownloadedFile>>();
  readonly #pending = new Set<Promise<unknown>>();
  #git: Promise<GitSources> | undefined;
  #http: Promise<HttpClient> | undefined;

  constructor(
    collaborators: SourceCollaborators,
    options: Pick<BuildOptions, "secrets" | "ssh" | "onEvent">,
    signal: AbortSignal,
  ) {
    this.#collaborators = collaborators;
    this.#options = options;
    this.#signal = AbortSignal.any([signal, this.#closing.signal]);
    // Everything that is being fetched listens.
    setMaxListeners(0, this.#signal);
    this.#kept = new KeptSources(collaborators.store, collaborators.now);
  }

  /** The folder with a repository's files; not to be written to. @throws {BuildError} */
  async gitFolder(source: GitSource): Promise<string> {
    return this.#track(this.#openGit().then((git) => git.folder(source)));
  }

  /** Stands for a repository's files in a cache key. @throws {BuildError} */
  async gitIdentity(source: GitSource): Promise<string> {
    return this.#track(this.#openGit().then((git) => git.identity(source)));
  }

  /** Downloads a file, shown as a step. @throws {BuildError} DOWNLOAD_FAILED */
  download(url: string, name?: string): Promise<DownloadedFile> {
    let download = this.#downloads.get(url);
    if (download === undefined) {
      download = this.#track(this.#download(url, name ?? `download ${redactCredentials(url)}`));
      this.#downloads.set(url, download);
    }
    return download;
  }

  async #download(url: string, name: string): Promise<DownloadedFile> {
    const { store, monotonic, now } = this.#collaborators;
    const { onEvent } = this.#options;
    this.#http ??= this.#openHttp();
    const client = await this.#http;
    const vertex = `download ${url}`;
    const signal = this.#signal;
    const item = redactCredentials(url);
    return await runStep({ vertex, name: `[internal] ${name}`, onEvent, nowMs: monotonic, signal }, () =>
      downloadFile(url, store, {
        client,
        kept: this.#kept,
        now,
        signal,
        onBytes: (done, total) =>
          onEvent({ kind: "step-bytes", vertex, item, done, ...(total === undefined ? {} : { total }) }),
      }),
    );
  }

  /**
   * A URL as a folder below `tmpDir`: an archive unpacked, anything else as a single file named `context`.
   * @throws {BuildError} DOWNLOAD_FAILED
   */
  async httpFolder(
    url: string,
    tmpDir: string,
  ): Promise<{ readonly folder: string; readonly isSingleFile: boolean }> {
    const file = await this.download(url, `load remote build context ${redactCredentials(url)}`);
    if (await isArchive(file.path)) {
      const archive = { file: file.path, shownAs: `The archive at "${redactCredentials(url)}"` };
      return { folder: await unpackContext(archive, tmpDir, this.#signal), isSingleFile: false };
    }
    const folder = await mkdtemp(join(tmpDir, "context-"));
    const path = join(folder, SINGLE_FILE_NAME);
    await copyFile(file.path, path);
    await chmod(path, 0o600);
    await lutimes(path, file.mtimeSeconds, file.mtimeSeconds);
    return { folder, isSingleFile: true };
  }

  /** Gives up what is still being got. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#pending);
    await this.#kept.release();
    await (await this.#http?.catch(() => undefined))?.close();
  }

  /** Whoever asked gets the failure; one that nobody waits for any more is not unhandled. */
  #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const forget = (): boolean => this.#pending.delete(work);
    work.then(forget, forget);
    return work;
  }

  #openGit(): Promise<GitSources> {
    const { environment: variables = {}, ...collaborators } = this.#collaborators;
    const { secrets, ssh, onEvent } = this.#options;
    this.#git ??= import("./git/index.ts").then(
      (git) =>
        new git.GitSources({
          ...collaborators,
          kept: this.#kept,
          variables,
          secrets,
          ssh,
          onEvent,
          signal: this.#signal,
        }),
    );
    return this.#git;
  }

  async #openHttp(): Promise<HttpClient> {
    const { HttpClient: Client } = await import("./http/http-client.ts");
    return new Client({
      secrets: this.#options.secrets,
      variables: this.#collaborators.environment ?? {},
    });
  }
}

async function isArchive(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(ARCHIVE_HEAD_BYTES), 0, ARCHIVE_HEAD_BYTES, 0);
  return looksLikeArchive(buffer.subarray(0, bytesRead));
}
