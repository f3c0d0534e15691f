import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "../../error.ts";
import { gitFailure } from "./git-failure.ts";
import type { ResolvedRef } from "./resolve-ref.ts";
import type { GitRun } from "./run-git.ts";

/** Runs git with the arguments; what ends with another exit code than 0 is not thrown. */
export type Git = (args: readonly string[], options?: { readonly local?: boolean }) => Promise<GitRun>;

/** A remote as messages name it and as git is given it. */
export interface Remote {
  /** Without credentials. */
  readonly url: string;
  readonly shownAs: string;
}

/** The ref that keeps a fetched object: fetches tell the remote of it, so that it sends what is new only. */
export function keptRef(object: string): string {
  return `refs/strake/${object}`;
}

/** Servers that cannot send one commit, or not without its history: asking for more helps. */
const ASK_FOR_MORE =
  /not our ref|unadvertised object|shallow|--depth|couldn't find remote ref|no such remote ref|not a valid|unexpected|remote error: upload-pack/i;
/** A repository of the store that a crash or a full disk left unusable. */
const BROKEN =
  /\.lock'|bad object|loose object|corrupt|unable to read|not a git repository|invalid sha1|pack has/i;

/**
 * Makes sure that a bare repository of the store has an object with all that belongs to its commit: with nothing but
 * that commit where the server can do so, else with more. The caller holds the repository's lease.
 * @throws {BuildError} DOWNLOAD_FAILED
 */
export async function fetchObject(
  git: Git,
  folder: string,
  remote: Remote,
  resolved: ResolvedRef,
): Promise<void> {
  const { object } = resolved;
  await openRepository(git, folder, object.length);
  if (await hasCommit(git, folder, object)) return;
  // Left by a git that was killed; whoever holds the lease is alone.
  await rm(join(folder, "shallow.lock"), { force: true });
  const run = await fetchFrom(git, folder, remote, resolved);
  if (run === undefined) return;
  if (!BROKEN.test(run.stderr)) throw gitFailure(`fetch git repository "${remote.shownAs}"`, run);
  await rm(folder, { recursive: true, force: true });
  await openRepository(git, folder, object.length);
  const again = await fetchFrom(git, folder, remote, resolved);
  if (again !== undefined) throw gitFailure(`fetch git repository "${remote.shownAs}"`, again);
}

/** Asks for as little as the server is able to send; undefined when the object is there, else what went wrong. */
async function fetchFrom(
  git: Git,
  folder: string,
  { url, shownAs }: Remote,
  { object, ref }: ResolvedRef,
): Promise<GitRun | undefined> {
  const kept = keptRef(object);
  const attempts: readonly (readonly string[])[] = [
    ["--depth=1", "--no-tags", "--", url, `+${object}:${kept}`],
    ...(ref === undefined
      ? []
      : [
          ["--depth=1", "--no-tags", "--", url, `+${ref}:${kept}`],
          ["--no-tags", "--", url, `+${ref}:${kept}`],
        ]),
    ["--no-tags", "--", url, "+refs/*:refs/strake/all/*"],
  ];
  let run: GitRun | undefined;
  for (const attempt of attempts) {
    run = await git(["--git-dir", folder, "fetch", "--quiet", "--force", ...attempt]);
    // A reference may have moved since it was looked up: what counts is the object.
    if (run.exitCode === 0 && (await hasCommit(git, folder, object))) {
      await git(["--git-dir", folder, "update-ref", kept, object]);
      return undefined;
    }
    if (run.exitCode !== 0 && !ASK_FOR_MORE.test(run.stderr)) return run;
  }
  if (run?.exitCode === 0)
    throw new BuildError(
      "DOWNLOAD_FAILED",
      `Cannot fetch git repository "${shownAs}": it does not have the commit ${object}`,
      {
        hint: "The commit may be of a fork, or was removed by a forced push; name a branch or tag that has it",
      },
    );
  return run;
}

async function openRepository(git: Git, folder: string, idLength: number): Promise<void> {
  if ((await stat(join(folder, "HEAD")).catch(() => undefined)) !== undefined) return;
  await mkdir(folder, { recursive: true });
  const format = idLength === 64 ? ["--object-format=sha256"] : [];
  const run = await git(["init", "--quiet", "--bare", "--template=", ...format, "--", folder], {
    local: true,
  });
  if (run.exitCode !== 0) throw gitFailure(`make a git repository in "${folder}"`, run);
}

async function hasCommit(git: Git, folder: string, object: string): Promise<boolean> {
  const run = await git(["--git-dir", folder, "cat-file", "-e", `${object}^{tree}`], { local: true });
  return run.exitCode === 0;
}
