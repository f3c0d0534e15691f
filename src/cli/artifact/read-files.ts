import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Descriptor } from "../../oci/index.ts";
import type { ArtifactFile } from "../../registry/index.ts";
import { readChunks } from "../../store/index.ts";
import { CliError, usageError } from "../error.ts";
import { checkTitle, type FileArgument, titleOf } from "./file-argument.ts";
import { type Measured, measure, writeMeasured } from "./measure.ts";
import { packFolder } from "./pack-folder.ts";

/** What nothing else is said of. */
const DEFAULT_TYPE = "application/octet-stream";

export interface ReadFilesOptions {
  /** Absolute; titles are relative to it. */
  readonly cwd: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** A folder for what has to be written down before it can be sent. */
  readonly tempFolder: () => Promise<string>;
  /** What the only file is to be called. */
  readonly title?: string | undefined;
  /** What the layers are annotated with, by files as the command line names them. */
  readonly annotations: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly signal: AbortSignal;
}

/**
 * Reads files for an artifact: their digests, and how to open them again when they are sent. A folder is packed, and a
 * stream written down, in the temporary folder first.
 * @throws {CliError} USAGE for two of the same title, and for a stream without one; INPUT_UNUSABLE
 */
export async function readFiles(
  files: readonly FileArgument[],
  options: ReadFilesOptions,
): Promise<readonly (ArtifactFile & { readonly title: string })[]> {
  const read: (ArtifactFile & { readonly title: string })[] = [];
  const titles = files.map((file) => chooseTitle(file, options));
  refuseClashes(files, titles, options.cwd);
  for (const [i, file] of files.entries()) {
    const title = titles[i] ?? "";
    const { descriptor, open } = await readFile(file, title, options);
    const annotations = { ...descriptor.annotations, ...options.annotations.get(file.path) };
    const isPlain = Object.keys(annotations).length === 0;
    read.push({ title, descriptor: isPlain ? descriptor : { ...descriptor, annotations }, open });
  }
  return read;
}

/** Reads one file, as a config or as a layer. */
export async function readFile(
  { path, mediaType }: FileArgument,
  title: string,
  { cwd, stdin, tempFolder, signal }: ReadFilesOptions,
): Promise<Pick<ArtifactFile, "descriptor" | "open">> {
  const kind = kindOf(path, cwd);
  const host = resolve(cwd, path);
  if (kind === "file")
    return fileAt(host, {
      path,
      mediaType: mediaType ?? DEFAULT_TYPE,
      ...(await digestOfFile(host, path, signal)),
    });
  const copy = join(await tempFolder(), `artifact-${randomUUID()}`);
  if (kind === "folder") {
    const descriptor = await packFolder(host, copy, {
      shown: path.replace(/\/+$/, ""),
      title,
      mediaType,
      signal,
    });
    return { descriptor, open: openerOf(copy, descriptor.size) };
  }
  const described = await writeMeasured(kind === "stdin" ? stdin : readChunks(host, { signal }), copy, {
    attempt: "keep a stream",
    signal,
  });
  return fileAt(copy, { path, mediaType: mediaType ?? DEFAULT_TYPE, ...described });
}

/** Nobody could pull two files to one path. @throws {CliError} USAGE */
function refuseClashes(files: readonly FileArgument[], titles: readonly string[], cwd: string): void {
  for (const [i, { path }] of files.entries()) {
    const title = titles[i] ?? "";
    const first = titles.indexOf(title);
    if (first < i) {
      throw usageError(
        `Cannot push "${files[first]?.path}" and "${path}" together: both would be called "${title}"`,
        "Run strake in the folder that they are in, so that their paths tell them apart",
      );
    }
    const inside = titles.findIndex(
      (other) => other !== title && (title === "." || other.startsWith(`${title}/`)),
    );
    if (inside >= 0 && kindOf(path, cwd) === "folder") {
      throw usageError(
        `Cannot push "${path}" and "${files[inside]?.path}" together: the second is in the first`,
        "Leave the second out",
      );
    }
  }
}

function chooseTitle({ path }: FileArgument, options: ReadFilesOptions): string {
  const { cwd, title, annotations } = options;
  const given = title ?? annotations.get(path)?.["org.opencontainers.image.title"];
  if (given !== undefined) return checkTitle(given);
  const kind = kindOf(path, cwd);
  if (kind === "file" || kind === "folder") return titleOf(path, cwd);
  throw usageError(
    `Cannot push "${path}": a stream has no name to give to the file`,
    "Say with --title what it is to be called: --title sbom.json",
  );
}

function kindOf(path: string, cwd: string): "file" | "folder" | "stream" | "stdin" {
  if (path === "-") return "stdin";
  try {
    const stats = statSync(resolve(cwd, path));
    return stats.isDirectory() ? "folder" : stats.isFile() ? "file" : "stream";
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function fileAt(
  host: string,
  { digest, size, mediaType }: Measured & { readonly path: string; readonly mediaType: string },
): Pick<ArtifactFile, "descriptor" | "open"> {
  const descriptor: Descriptor = { mediaType, digest, size };
  return { descriptor, open: openerOf(host, size) };
}

function openerOf(host: string, size: number): ArtifactFile["open"] {
  return async (options) => readChunks(host, { ...options, size });
}

async function digestOfFile(host: string, shown: string, signal: AbortSignal): Promise<Measured> {
  try {
    return await measure(readChunks(host, { transient: true, signal }));
  } catch (error) {
    throw unreadable(shown, error);
  }
}

function unreadable(shown: string, cause: unknown): unknown {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  if (syscall === undefined) return cause;
  const isMissing = code === "ENOENT" || code === "ENOTDIR";
  const state = isMissing ? "there is no such file" : code === "EACCES" ? "permission denied" : code;
  return new CliError("INPUT_UNUSABLE", `Cannot push "${shown}": ${state}`, { cause });
}
