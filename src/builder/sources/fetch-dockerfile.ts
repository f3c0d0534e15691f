import type { BuildOptions } from "../types.ts";
import { ContextTrees } from "./context-trees.ts";
import { type DockerfileText, loadDockerfile } from "./read-dockerfile.ts";
import { RemoteSources, type SourceCollaborators } from "./remote-sources.ts";

/**
 * Gets the Dockerfile of a build that is looked at rather than built, wherever it is. What has to be fetched or unpacked
 * for that stays in the given folder, which is the caller's to remove.
 * @throws {BuildError} INPUT_MISSING, DOWNLOAD_FAILED
 */
export async function fetchDockerfile(
  options: Pick<BuildOptions, "dockerfile" | "context" | "secrets" | "ssh">,
  surroundings: Omit<SourceCollaborators, "store"> & {
    readonly folder: string;
    readonly signal: AbortSignal;
  },
): Promise<DockerfileText> {
  const { folder, signal } = surroundings;
  // Nobody else knows of the folder: there is no one to hold a lease against.
  const lease = { release: () => undefined };
  const store = {
    root: folder,
    tmpDir: folder,
    withLease: <T>(_name: string, work: () => Promise<T>) => work(),
    acquireLock: async () => lease,
    tryLock: () => lease,
  };
  const remote = new RemoteSources(
    { ...surroundings, store },
    { ...options, onEvent: () => undefined },
    signal,
  );
  const { dockerfile } = options;
  const contexts = new ContextTrees({ dockerfile, remote, tmpDir: folder, keepGitDir: false, signal });
  try {
    return await loadDockerfile(options, contexts, remote);
  } finally {
    await remote.close();
  }
}
