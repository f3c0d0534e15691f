import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { SourceStore } from "../../collaborators.ts";
import { BuildError } from "../../error.ts";
import type { OnEvent } from "../../events.ts";
import type { GitSource } from "../../graph/git-source.ts";
import { redactCredentials } from "../../redact-url.ts";
import { runStep } from "../../run-step.ts";
import type { BuildOptions } from "../../types.ts";
import type { KeptSources } from "../kept-sources.ts";
import { authorizeGit } from "./git-authorization.ts";
import { type CheckoutOptions, checkOut } from "./git-checkout.ts";
import { gitEnvironment } from "./git-environment.ts";
import { gitFailure } from "./git-failure.ts";
import { fetchObject, type Git } from "./git-repository.ts";
import {
  lsRemoteArguments,
  missingRef,
  pickRef,
  type ResolvedRef,
  resolveWithoutAsking,
} from "./resolve-ref.ts";
import { runGit } from "./run-git.ts";

export interface GitSourcesOptions {
  readonly store: SourceStore;
  /** Keeps repositories and trees until the build has ended. */
  readonly kept: KeptSources;
  readonly secrets: BuildOptions["secrets"];
  readonly ssh: BuildOptions["ssh"];
  /** The user's variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly onEvent: OnEvent;
  readonly monotonic: () => number;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * The git repositories that a build reads. What a reference means is asked once for each build; the files of a commit
 * are kept in the store, so that an unchanged remote costs that one question, and a commit named by its ID none.
 *
 *     cache/git/REMOTE/repository        bare, shallow where the server can
 *     cache/git/REMOTE/trees/KEY/files   of a commit, never changed
 */
export class GitSources {
  readonly #options: GitSourcesOptions;
  readonly #resolved = new Map<string, Promise<ResolvedRef>>();
  readonly #folders = new Map<string, Promise<string>>();

  constructor(options: GitSourcesOptions) {
    this.#options = options;
  }

  /** Stands for the files of a source in a cache key: its commit, and what is taken of it. @throws {BuildError} */
  async identity(source: GitSource): Promise<string> {
    return `git ${treeKey(source, await this.#resolve(source))}`;
  }

  /** The folder with the files of a source; not to be written to. @throws {BuildError} */
  folder(source: GitSource): Promise<string> {
    const key = JSON.stringify(source);
    let folder = this.#folders.get(key);
    if (folder === undefined) {
      folder = this.#resolve(source).then((resolved) =>
        this.#step("load", source, (git, url) => this.#open({ source, resolved, git, url })),
      );
      this.#folders.set(key, folder);
    }
    return folder;
  }

  #resolve(source: GitSource): Promise<ResolvedRef> {
    const { remote, ref, checksum, fetchByCommit } = source;
    const key = JSON.stringify([remote, ref, checksum, fetchByCommit]);
    let resolved = this.#resolved.get(key);
    if (resolved === undefined) {
      const known = resolveWithoutAsking(source);
      resolved =
        known === undefined
          ? this.#step("resolve", source, (git, url) => this.#ask(source, git, url))
          : Promise.resolve(known);
      this.#resolved.set(key, resolved);
    }
    return resolved;
  }

  async #ask(source: GitSource, git: Git, url: string): Promise<ResolvedRef> {
    const run = await git(lsRemoteArguments(url, source.ref));
    const attempt = `read git repository "${redactCredentials(source.remote)}"`;
    if (run.exitCode !== 0) throw gitFailure(attempt, run);
    try {
      return pickRef(source, run.stdout);
    } catch (error) {
      if (run.stdout.trim() !== "" || source.ref === undefined) throw error;
      // Nothing of that name: what else is there makes the better message.
      const all = await git(["ls-remote", "--", url]);
      throw missingRef(source, [all.stdout]);
    }
  }

  async #open({
    source,
    resolved,
    git,
    url,
  }: {
    readonly source: GitSource;
    readonly resolved: ResolvedRef;
    readonly git: Git;
    readonly url: string;
  }): Promise<string> {
    const { store, kept: keptSources, signal } = this.#options;
    const name = createHash("sha256").update(url).digest("hex").slice(0, 32);
    const home = await keptSources.hold("git", name, signal);
    const kept = join(home, "trees", treeKey(source, resolved));
    const folder = join(kept, "files");
    return store.withLease(
      `git-${name}`,
      async () => {
        if (!(await isFolder(folder))) {
          const remote = { url, shownAs: redactCredentials(source.remote) };
          const repository = join(home, "repository");
          await fetchObject(git, repository, remote, resolved);
          await mkdir(kept, { recursive: true });
          await this.#checkOut({ git, repository, remote, source, resolved }, folder);
        }
        const now = this.#options.now() / 1000;
        await utimes(kept, now, now);
        await utimes(home, now, now);
        return folder;
      },
      { signal },
    );
  }

  async #checkOut(options: Omit<CheckoutOptions, "workFolder">, folder: string): Promise<void> {
    const workFolder = await mkdtemp(join(this.#options.store.tmpDir, "git-"));
    try {
      await rename(await checkOut({ ...options, workFolder }), folder);
    } finally {
      await rm(workFolder, { recursive: true, force: true });
    }
  }

  /** Runs work as a step that is shown, with git set up for the source. */
  async #step<T>(
    what: "resolve" | "load",
    source: GitSource,
    work: (git: Git, url: string) => Promise<T>,
  ): Promise<T> {
    const { onEvent, monotonic, signal } = this.#options;
    const vertex = `git ${what} ${createHash("sha256").update(JSON.stringify(source)).digest("hex").slice(0, 24)}`;
    const name = `[internal] ${what} git source ${describeGitSource(source)}`;
    return await runStep({ vertex, name, onEvent, nowMs: monotonic, signal }, async () => {
      const { git, url } = await this.#setUp(source, vertex);
      return await work(git, url);
    });
  }

  async #setUp(source: GitSource, vertex: string): Promise<{ readonly git: Git; readonly url: string }> {
    const { store, secrets, ssh, variables, signal, onEvent } = this.#options;
    const { remote: url, authorization } = await authorizeGit(source.remote, secrets);
    const agent = ssh.find(({ id }) => id === "default");
    if (agent === undefined && !/^(https?|git):\/\//.test(url))
      throw new BuildError(
        "SECRET_MISSING",
        `Cannot fetch git repository "${redactCredentials(source.remote)}": no SSH agent is given`,
        { hint: "Give the one that has the key: --ssh default" },
      );
    const folder = join(store.root, "cache", "git");
    await mkdir(folder, { recursive: true });
    const settings = {
      variables,
      authorization,
      sshAgentSocket: agent?.socketPath,
      knownHostsFile: join(folder, "..", "ssh-known-hosts"),
    };
    const tell = (chunk: Uint8Array): void =>
      onEvent({
        kind: "step-output",
        vertex,
        stream: "stderr",
        chunk: Buffer.from(redactCredentials(Buffer.from(chunk).toString())),
      });
    const git: Git = async (args, { local = false } = {}) => {
      const run = await runGit(args, {
        env: gitEnvironment(settings, local ? "file" : "http:https:ssh:git"),
        cwd: folder,
        signal,
        // What it says of the store's own repositories is for us.
        onStderr: local ? undefined : tell,
      });
      if (run.exitCode === 127 && /git: not found/.test(run.stderr))
        throw gitFailure(`read git repository "${redactCredentials(source.remote)}"`, run);
      return run;
    };
    return { git, url };
  }
}

/** A source in one line, for people. */
function describeGitSource({ remote, ref = "", subdir }: GitSource): string {
  const fragment = subdir === undefined ? ref : `${ref}:${subdir}`;
  return redactCredentials(fragment === "" ? remote : `${remote}#${fragment}`);
}

/** Names what a checkout results in. */
function treeKey({ subdir, keepGitDir, submodules, mtime }: GitSource, resolved: ResolvedRef): string {
  const keeps = keepGitDir === true && subdir === undefined;
  const text = JSON.stringify([
    // A .git has the tag and the reference's name in it.
    keeps ? [resolved.object, resolved.ref ?? null] : resolved.commit,
    subdir ?? null,
    submodules !== false,
    mtime ?? "commit",
  ]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
