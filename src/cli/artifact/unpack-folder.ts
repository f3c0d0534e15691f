import { createHash } from "node:crypto";
import { type ByteString, fromByteString, toByteString } from "../../oci/index.ts";
import { type ArtifactEntry, UNPACKED_DIGEST } from "../../registry/index.ts";
import { decompress, readChunks, StoreError } from "../../store/index.ts";
import { cleanPath, TarError, type TarHeader, TarParser, type TarSink } from "../../tar/index.ts";
import { isDamage } from "../../util/decompress/is-damage.ts";
import { MAX_PATH_BYTES } from "../../util/linux-paths.ts";
import { CliError } from "../error.ts";
import { findEscape } from "./find-escape.ts";
import type { StagedFile, StageTree } from "./stage-tree.ts";

/**
 * Unpacks the archive of a folder into a tree, as what oras or `packFolder` made: all names in it begin with the folder's
 * own. Nothing in it is trusted. Devices and the like are left out.
 * @param archive a file with the verified bytes of the layer
 * @throws {CliError} INPUT_UNUSABLE for an archive that is none, is damaged, or holds what leads out of the folder
 */
export async function unpackFolder(
  archive: string,
  { path, descriptor }: ArtifactEntry,
  tree: StageTree,
  signal: AbortSignal,
): Promise<void> {
  const base = toByteString(path);
  tree.addFolder(base);
  const sink = new FolderSink(tree, base);
  const parser = new TarParser(sink, { allowMissingEnd: true });
  const hash = createHash("sha256");
  const shown = path === "" ? "." : path;
  try {
    for await (const chunk of decompress(readChunks(archive, { signal }))) {
      signal.throwIfAborted();
      hash.update(chunk);
      parser.write(chunk);
    }
    parser.finish();
  } catch (error) {
    sink.abandon();
    const isUnreadable = error instanceof TarError || error instanceof StoreError || isDamage(error);
    if (!isUnreadable) throw error;
    throw unusable(shown, `its archive can't be read: ${error.message}`, error);
  }
  const expected = descriptor.annotations?.[UNPACKED_DIGEST];
  const actual = `sha256:${hash.digest("hex")}`;
  if (expected?.startsWith("sha256:") === true && expected !== actual)
    throw unusable(shown, `its archive unpacks to "${actual}", not to the "${expected}" that it says`);
  const found = findEscape(linksBelow(tree, base), base);
  if (found === undefined) return;
  const target = fromByteString(tree.symlinks.get(found) as ByteString);
  throw unusable(
    shown,
    `"${fromByteString(found)}" is a symlink to "${target}", which leads out of the folder`,
  );
}

class FolderSink implements TarSink {
  readonly #tree: StageTree;
  readonly #base: ByteString;
  /** Stands for this archive among what has put something into the tree. */
  readonly #owner = {};
  #file: StagedFile | undefined;

  constructor(tree: StageTree, base: ByteString) {
    this.#tree = tree;
    this.#base = base;
  }

  entry(header: TarHeader): void {
    const { kind, mode, mtimeSeconds } = header;
    const path = this.#inside(header.name);
    switch (kind) {
      case "dir":
        this.#tree.addFolder(path, { mode, mtimeSeconds });
        return;
      case "file":
        this.#file = this.#tree.createFile(path, { mode, mtimeSeconds, owner: this.#owner });
        return;
      case "symlink":
        if (header.link === "" || header.link.includes("\0"))
          throw unusable(fromByteString(this.#base) || ".", "its archive has a symlink to nothing");
        this.#tree.addSymlink(path, header.link as ByteString, this.#owner);
        return;
      case "hardlink":
        this.#tree.addLink(path, this.#inside(header.link), this.#owner);
        return;
      case "char":
      case "block":
      case "fifo":
        return;
      default:
        kind satisfies never;
    }
  }

  content(bytes: Uint8Array): void {
    this.#file?.write(bytes);
  }

  hole(length: number): void {
    this.#file?.skip(length);
  }

  end(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }

  abandon(): void {
    this.#file?.abandon();
    this.#file = undefined;
  }

  #inside(name: string): ByteString {
    if (name.length > MAX_PATH_BYTES)
      throw unusable(
        fromByteString(this.#base) || ".",
        `its archive has a path of ${name.length} bytes, more than Linux takes`,
      );
    const path = cleanPath(name);
    const base = this.#base;
    const isAbsolute = name.startsWith("/");
    if (!isAbsolute && (base === "" || path === base || path.startsWith(`${base}/`))) return path;
    throw unusable(
      fromByteString(base) || ".",
      `${JSON.stringify(fromByteString(name as ByteString))} in its archive is outside of it`,
    );
  }
}

function linksBelow(tree: StageTree, base: ByteString): ReadonlyMap<ByteString, ByteString> {
  if (base === "") return tree.symlinks;
  return new Map([...tree.symlinks].filter(([path]) => path.startsWith(`${base}/`)));
}

function unusable(shown: string, state: string, cause?: unknown): CliError {
  return new CliError("INPUT_UNUSABLE", `Cannot unpack the folder "${shown}": ${state}`, { cause });
}
