import { access, chmod, copyFile, lstat, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "../../error.ts";
import type { GitSource } from "../../graph/git-source.ts";
import { gitFailure } from "./git-failure.ts";
import { type Git, keptRef, type Remote } from "./git-repository.ts";
import type { ResolvedRef } from "./resolve-ref.ts";
import { settleFiles } from "./settle-files.ts";

export interface CheckoutOptions {
  readonly git: Git;
  /** The bare repository that has the object. */
  readonly repository: string;
  readonly remote: Remote;
  readonly source: GitSource;
  readonly resolved: ResolvedRef;
  /** An empty folder for everything; the tree ends up in its `tree`. */
  readonly workFolder: string;
}

/**
 * Writes the files of a commit, with its submodules, into `tree` of the work folder. With `keepGitDir` there is a
 * `.git` too, with that one commit and a detached HEAD; not for a subfolder, which is no repository.
 * @throws {BuildError} DOWNLOAD_FAILED, INPUT_MISSING when the subfolder is not there
 */
export async function checkOut(options: CheckoutOptions): Promise<string> {
  const { source, workFolder, repository, resolved, git } = options;
  const keepsGitDir = source.keepGitDir === true && source.subdir === undefined;
  const tree = join(workFolder, "tree");
  const gitDir = keepsGitDir ? join(tree, ".git") : join(workFolder, "git");
  await mkdir(tree);
  await chmod(tree, 0o755);
  const inTree = (args: readonly string[], local = true): ReturnType<Git> =>
    git(["-C", tree, "--git-dir", gitDir, "--work-tree", tree, ...args], { local });
  const must = async (args: readonly string[]): Promise<string> => {
    const run = await inTree(args);
    if (run.exitCode !== 0) throw gitFailure(`check out git repository "${options.remote.shownAs}"`, run);
    return run.stdout.trim();
  };
  const format = resolved.object.length === 64 ? ["--object-format=sha256"] : [];
  await must(["init", "--quiet", "--template=", ...format]);
  await must(["config", "remote.origin.url", options.remote.url]);
  if (keepsGitDir) await fetchKept(options, must, gitDir);
  else await borrowObjects(repository, gitDir);
  // Without times and inodes of this machine in the index, the same commit makes the same .git everywhere.
  await must(["read-tree", "-m", "-u", `${resolved.object}^{commit}`]);
  if (source.submodules !== false && (await isThere(join(tree, ".gitmodules")))) {
    await updateSubmodules(inTree, options);
  }
  const committed = Number(await must(["show", "-s", "--format=%ct", `${resolved.object}^{commit}`]));
  if (keepsGitDir) await must(["read-tree", `${resolved.object}^{commit}`]);
  const root = source.subdir === undefined ? tree : await pickSubdir(options, tree, source.subdir);
  await settleFiles(root, {
    mtimeSeconds: source.mtime === "checkout" ? undefined : committed,
    removesGitLinks: !keepsGitDir,
  });
  return root;
}

/** Fills a repository that stays: by a transport, since what a clone links to would stay behind. */
async function fetchKept(
  { repository, resolved }: CheckoutOptions,
  must: (args: readonly string[]) => Promise<string>,
  gitDir: string,
): Promise<void> {
  const { object, ref } = resolved;
  const target = ref === undefined ? "" : `:${ref}`;
  await must([
    ...["fetch", "--quiet", "--update-head-ok", "--depth=1", "--no-tags", "--"],
    ...[`file://${repository}`, `${keptRef(object)}${target}`],
  ]);
  await must(["update-ref", "--no-deref", "HEAD", `${object}^{commit}`]);
  await rm(join(gitDir, "FETCH_HEAD"), { force: true });
}

/** Reads the objects of another repository where they are. */
async function borrowObjects(repository: string, gitDir: string): Promise<void> {
  await mkdir(join(gitDir, "objects", "info"), { recursive: true });
  await writeFile(join(gitDir, "objects", "info", "alternates"), `${join(repository, "objects")}\n`);
  const shallow = join(repository, "shallow");
  if (await isThere(shallow)) await copyFile(shallow, join(gitDir, "shallow"));
}

async function updateSubmodules(
  inTree: (args: readonly string[], local: boolean) => ReturnType<Git>,
  { remote }: CheckoutOptions,
): Promise<void> {
  const update = ["submodule", "update", "--quiet", "--init", "--recursive"];
  let run = await inTree([...update, "--depth=1"], false);
  // Some servers send neither single commits nor short histories.
  if (run.exitCode !== 0) run = await inTree(update, false);
  if (run.exitCode !== 0) throw gitFailure(`fetch the submodules of git repository "${remote.shownAs}"`, run);
}

/** @throws {BuildError} INPUT_MISSING */
async function pickSubdir(
  { remote, workFolder }: CheckoutOptions,
  tree: string,
  subdir: string,
): Promise<string> {
  let path = tree;
  for (const part of subdir.split("/")) {
    path = join(path, part);
    const found = await lstat(path).catch(() => undefined);
    // A symlink could lead anywhere on this machine.
    if (found?.isDirectory() === true && part !== ".git") continue;
    const reason = found === undefined ? "it is not there" : `"${part}" is no folder`;
    throw new BuildError(
      "INPUT_MISSING",
      `Cannot use "${subdir}" of git repository "${remote.shownAs}": ${reason}`,
      {
        hint: `At its top are ${await namesIn(tree)}`,
      },
    );
  }
  const picked = join(workFolder, "subdir");
  await rename(path, picked);
  return picked;
}

async function namesIn(tree: string): Promise<string> {
  const entries = await readdir(tree, { withFileTypes: true });
  const folders = entries
    .filter((entry) => entry.isDirectory() && entry.name !== ".git")
    .map(({ name }) => name);
  return folders.length === 0 ? "no folders" : `the folders ${folders.sort().slice(0, 10).join(", ")}`;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
