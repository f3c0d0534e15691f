import { readFile } from "node:fs/promises";
import { isAbsolute, posix } from "node:path";
import { toByteString } from "../../oci/index.ts";
import { type Dockerfile, parseDockerfile } from "../../parser/index.ts";
import { BuildError } from "../error.ts";
import { LocalTree, resolveInTree } from "../files/index.ts";
import { redactCredentials } from "../redact-url.ts";
import type { BuildOptions } from "../types.ts";
import type { ContextTrees } from "./context-trees.ts";
import { type RemoteSources, SINGLE_FILE_NAME } from "./remote-sources.ts";

/** Where the Dockerfile was found, for messages, and its bytes. */
export interface DockerfileText {
  readonly file: string;
  readonly text: Uint8Array;
}

/** A Dockerfile is text; one larger than this is something else. */
const MAX_DOCKERFILE_BYTES = 16 << 20;

/**
 * Gets the Dockerfile of a build: as text, from this machine, from a URL, or out of the context where that comes from
 * elsewhere. A context that is a URL of one file is the Dockerfile itself.
 * @throws {BuildError} INPUT_MISSING, DOWNLOAD_FAILED
 */
export async function loadDockerfile(
  { dockerfile, context }: Pick<BuildOptions, "dockerfile" | "context">,
  contexts: ContextTrees,
  remote: RemoteSources,
): Promise<DockerfileText> {
  const file = dockerfile.shownAs;
  if (dockerfile.kind === "text") return { file, text: dockerfile.text };
  if (dockerfile.kind === "url") {
    const { path, size } = await remote.download(dockerfile.url, `load ${file}`);
    if (size > MAX_DOCKERFILE_BYTES)
      throw notRead(file, `it has more than ${MAX_DOCKERFILE_BYTES >> 20} MiB`);
    return { file, text: await readFile(path) };
  }
  if (context.kind === "dir" || isAbsolute(dockerfile.path))
    return { file, text: await read(dockerfile.path, file) };
  const folder = await contexts.folder(context);
  if (contexts.isSingleFile(context)) {
    const shownAs = context.kind === "url" ? redactCredentials(context.url) : file;
    return { file: shownAs, text: await read(posix.join(folder, SINGLE_FILE_NAME), shownAs) };
  }
  // Links lead to files of the context: one to /etc/passwd is not this machine's.
  const tree = new LocalTree(folder);
  const { dir, base } = posix.parse(dockerfile.path);
  const names = [dockerfile.path, ...(base === "Dockerfile" ? [posix.join(dir, "dockerfile")] : [])];
  for (const name of names) {
    const path = resolveInTree(tree, toByteString(name), { followLast: true });
    const node = tree.lstat(path);
    if (node?.kind === "file")
      return { file: name, text: await readFile(Buffer.from(node.hostPath, "latin1")) };
  }
  throw notRead(file, undefined);
}

/** Parses what `loadDockerfile` found. @throws {DockerfileError} */
export function parseDockerfileText({ file, text }: DockerfileText): Dockerfile {
  return parseDockerfile(text, { filename: file });
}

async function read(path: string, shownAs: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw notRead(shownAs, cause.code === "ENOENT" ? undefined : cause.message, cause);
  });
}

/** In BuildKit's words. */
function notRead(shownAs: string, reason = "no such file or directory", cause?: unknown): BuildError {
  return new BuildError("INPUT_MISSING", `failed to read dockerfile: open ${shownAs}: ${reason}`, {
    hint: "Name the Dockerfile with -f FILE; its default is Dockerfile in the context folder",
    cause,
  });
}
