import { type ByteString, fromByteString } from "../../../oci/layer-entry.ts";
import {
  cleanPath as cleanArchivePath,
  TarError,
  type TarHeader,
  TarParser,
  type TarSink,
} from "../../../tar/index.ts";
import type { ChangeSet } from "../change-set.ts";
import type { ChangedFile } from "../changed-file.ts";
import { FilesError } from "../error.ts";
import { makeFolders } from "../make-folders.ts";
import { baseName, joinPath, parentPath } from "../path.ts";
import { resolveInTree } from "../resolve-in-tree.ts";
import type { Owner } from "../types.ts";
import { readArchive } from "./archive-file.ts";
import type { ScratchFile, ScratchFiles } from "./scratch-files.ts";
import { Subtree } from "./subtree.ts";

export interface UnpackOptions {
  /** Where to, without symlinks on the way; the folder is there. */
  readonly folder: ByteString;
  /** `--chown`: instead of what the archive says. */
  readonly owner?: Owner | undefined;
  /** Time of folders that the archive only implies. */
  readonly folderMtimeSeconds: number;
  readonly scratch: ScratchFiles;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks an archive over a file system: entries take the place of what is there, except that folders merge. Names
 * and absolute links start at `folder`.
 *
 * @param archive.name as shown in messages
 * @throws {FilesError} ARCHIVE_INVALID, DESTINATION_CONFLICT, TOO_MANY_LINKS
 */
export async function unpackArchive(
  changes: ChangeSet,
  archive: { readonly hostPath: string; readonly name: string },
  options: UnpackOptions,
): Promise<void> {
  const sink = new Unpacker(changes, options);
  // Docker reads archives without their end marker too.
  const parser = new TarParser(sink, { allowMissingEnd: true });
  try {
    for await (const chunk of readArchive(archive.hostPath)) {
      options.signal?.throwIfAborted();
      parser.write(chunk);
      // What follows the end marker plays no part, damaged or not.
      if (parser.hasEnded) break;
    }
    parser.finish();
  } catch (error) {
    sink.abandon();
    if (options.signal?.aborted) throw error;
    if (error instanceof FilesError && error.code !== "ARCHIVE_INVALID") throw error;
    throw describe(archive.name, error);
  }
}

class Unpacker implements TarSink {
  readonly #changes: ChangeSet;
  readonly #options: UnpackOptions;
  readonly #tree: Subtree;
  /** The file whose content is coming. */
  #current: { readonly path: ByteString; readonly header: TarHeader; readonly file: ScratchFile } | undefined;

  constructor(changes: ChangeSet, options: UnpackOptions) {
    this.#changes = changes;
    this.#options = options;
    this.#tree = new Subtree(changes, options.folder);
  }

  entry(header: TarHeader): void {
    const name = cleanName(header.name, "entry name");
    if (name === "") return;
    const path = this.#resolve(name);
    const existing = this.#changes.lstat(path);
    if (existing !== undefined && !(existing.kind === "dir" && header.kind === "dir"))
      this.#changes.remove(path);
    makeFolders(this.#changes, parentPath(path), {
      mode: 0o755,
      owner: ROOT_OWNER,
      mtimeSeconds: this.#options.folderMtimeSeconds,
    });
    if (header.kind === "hardlink") this.#link(header, path);
    else if (header.kind === "file")
      this.#current = { path, header, file: this.#options.scratch.create(header.size) };
    else if (header.kind === "dir" && existing?.kind === "dir")
      Object.assign(this.#edit(path), this.#metadata(header));
    else {
      if (header.kind === "symlink" && header.link === "")
        throw new FilesError(
          "ARCHIVE_INVALID",
          `symlink "" ${fromByteString(path)}: no such file or directory`,
        );
      this.#changes.put(path, this.#changedFile(header));
    }
  }

  content(bytes: Uint8Array): void {
    this.#current?.file.write(bytes);
  }

  hole(length: number): void {
    this.#current?.file.skip(length);
  }

  end(): void {
    if (this.#current === undefined) return;
    const { path, header, file } = this.#current;
    this.#current = undefined;
    this.#changes.put(path, { ...this.#changedFile(header), content: file.close() });
  }

  abandon(): void {
    this.#current?.file.close();
    this.#current = undefined;
  }

  /** Where an entry goes: symlinks in the folders on the way are followed, its own name is not. */
  #resolve(name: ByteString): ByteString {
    const folder = resolveInTree(this.#tree, parentPath(name), { followLast: true, rejectEscapes: true });
    return joinPath(this.#options.folder, joinPath(folder, baseName(name)));
  }

  #link(header: TarHeader, path: ByteString): void {
    const target = this.#resolve(cleanName(header.link, "hardlink target"));
    if (!this.#changes.link(target, path)) {
      const isFolder = this.#changes.lstat(target)?.kind === "dir";
      const state = isFolder ? "operation not permitted, it is a folder" : "no such file or directory";
      throw new FilesError(
        "ARCHIVE_INVALID",
        `link ${fromByteString(header.link as ByteString)} ${fromByteString(path)}: ${state}`,
      );
    }
    // A hard link's own header counts: what it says reaches the file under all its names.
    const file = this.#edit(path);
    const { mode, mtimeSeconds, ...rest } = this.#metadata(header);
    Object.assign(file, rest, file.kind === "symlink" ? undefined : { mode, mtimeSeconds });
  }

  #edit(path: ByteString): ChangedFile {
    return this.#changes.edit(path) as ChangedFile;
  }

  #changedFile(header: TarHeader): ChangedFile {
    const { kind, size, link, major, minor } = header;
    return {
      kind: kind as ChangedFile["kind"],
      size,
      ...this.#metadata(header),
      ...(kind === "symlink" && { link: link as ByteString, mode: 0o777 }),
      ...((kind === "char" || kind === "block") && { major, minor }),
    };
  }

  #metadata(header: TarHeader): Pick<ChangedFile, "mode" | "uid" | "gid" | "mtimeSeconds" | "xattrs"> {
    const { owner } = this.#options;
    // The only attribute that a layer keeps.
    const capability = header.xattrs?.get(CAPABILITY);
    return {
      mode: header.mode,
      uid: owner?.uid ?? header.uid,
      gid: owner?.gid ?? header.gid,
      mtimeSeconds: boundTime(header.mtimeSeconds),
      xattrs: capability === undefined ? undefined : new Map([[CAPABILITY, capability]]),
    };
  }
}

const ROOT_OWNER: Owner = { uid: 0, gid: 0 };
const CAPABILITY = "security.capability";

/** 2^63 nanoseconds after 1970: what Docker can set. */
const MAX_SECONDS = 9_223_372_036;

/** Times that Docker cannot set become 1970. */
function boundTime(seconds: number): number {
  return seconds < 0 || seconds > MAX_SECONDS ? 0 : seconds;
}

function cleanName(name: string, what: string): ByteString {
  try {
    return cleanArchivePath(name);
  } catch (cause) {
    if (!(cause instanceof TarError)) throw cause;
    const shown = JSON.stringify(fromByteString(name as ByteString));
    throw new FilesError("ARCHIVE_INVALID", `invalid ${what} ${shown}`, { cause });
  }
}

function describe(name: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const hint = error instanceof FilesError || error instanceof TarError ? error.hint : undefined;
  return new FilesError("ARCHIVE_INVALID", `Cannot unpack "${name}": ${error.message}`, {
    cause: error,
    hint: hint ?? "Is the archive damaged? --unpack=false copies it as it is",
  });
}
