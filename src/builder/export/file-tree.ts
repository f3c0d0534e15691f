import { createWriteStream } from "node:fs";
import { chmod, copyFile, link, lstat, mkdir, rm, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { type ByteString, formatPlatform } from "../../oci/index.ts";
import { type MergedTree, type SourcedEntry, toEntry, writeLayer } from "../../store/layers/index.ts";
import { Xattrs } from "../../sys/index.ts";
import { BuildError } from "../error.ts";
import type { State } from "../solve/state.ts";
import type { OutputSpec } from "../types.ts";
import type { BuiltImage } from "./image-documents.ts";
import type { OutputContext } from "./output-context.ts";

/**
 * Writes the files of the results: into a folder, as whoever runs the build and with today's ownership (`local`),
 * or as one tar with everything (`tar`). Several platforms get a folder each, `linux_amd64`.
 * @throws {BuildError} OUTPUT_FAILED
 */
export async function exportFiles(
  output: OutputSpec & { readonly kind: "local" | "tar" },
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<void> {
  const trees = await Promise.all(context.states.map((state: State) => context.layers.tree(state)));
  try {
    if (output.kind === "tar") {
      if (trees.length > 1)
        throw new BuildError("UNSUPPORTED", "Cannot write several platforms into one tar of files", {
          hint: "Use -o type=local, or type=oci for an image",
        });
      await writeTar(trees[0] as MergedTree, output, context.signal);
      return;
    }
    for (const [index, tree] of trees.entries()) {
      const platform = formatPlatform((images[index] as BuiltImage).platform).replaceAll("/", "_");
      const folder = trees.length > 1 ? join(output.destination, platform) : output.destination;
      await writeFiles(tree, folder, context.signal);
    }
  } catch (cause) {
    context.signal.throwIfAborted();
    if (cause instanceof BuildError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BuildError("OUTPUT_FAILED", `Cannot write the files of the result: ${reason}`, { cause });
  }
}

async function writeTar(
  tree: MergedTree,
  output: OutputSpec & { readonly kind: "tar" },
  signal: AbortSignal,
): Promise<void> {
  const { destination } = output;
  if (typeof destination !== "string") {
    await writeLayer(entriesOf(tree), { onTarChunk: (chunk) => destination.write(chunk) }, { signal });
    return;
  }
  const file = createWriteStream(destination);
  const opened = new Promise<void>((resolve, reject) =>
    file.once("open", () => resolve()).once("error", reject),
  );
  await opened;
  const write = (chunk: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) =>
      file.write(chunk, (error) => (error == null ? resolve() : reject(error))),
    );
  try {
    await writeLayer(entriesOf(tree), { onTarChunk: write }, { signal });
  } finally {
    await new Promise<void>((resolve) => file.end(resolve));
  }
}

/** Everything in a tree as layer entries, a folder before what is in it. */
function* entriesOf(tree: MergedTree): Generator<SourcedEntry> {
  const xattrs = new Xattrs();
  const firstNames = new Map<string, ByteString>();
  for (const path of pathsOf(tree)) {
    const node = tree.lstat(path);
    if (node === undefined || node.kind === "socket") continue;
    const first = node.hardlinkId === undefined ? undefined : firstNames.get(node.hardlinkId);
    if (first !== undefined && node.kind === "file") {
      const { content: _content, ...entry } = toEntry(path, node, undefined);
      yield { ...entry, kind: "hardlink", size: 0, link: first };
      continue;
    }
    if (node.hardlinkId !== undefined) firstNames.set(node.hardlinkId, path);
    const capability = node.kind === "file" ? xattrs.get(node.hostPath, "security.capability") : undefined;
    yield toEntry(
      path,
      node,
      capability === undefined ? undefined : new Map([["security.capability", capability]]),
    );
  }
}

function* pathsOf(tree: MergedTree, folder: ByteString = "" as ByteString): Generator<ByteString> {
  for (const name of tree.readdir(folder)) {
    const path = (folder === "" ? name : `${folder}/${name}`) as ByteString;
    yield path;
    if (tree.lstat(path)?.kind === "dir") yield* pathsOf(tree, path);
  }
}

async function writeFiles(tree: MergedTree, folder: string, signal: AbortSignal): Promise<void> {
  await mkdir(folder, { recursive: true });
  const root = Buffer.from(folder).toString("latin1");
  const folders: { readonly path: Buffer; readonly mode: number; readonly time: number }[] = [];
  const firstNames = new Map<string, Buffer>();
  for (const path of pathsOf(tree)) {
    signal.throwIfAborted();
    const node = tree.lstat(path);
    if (node === undefined) continue;
    const target = Buffer.from(`${root}/${path}`, "latin1");
    const existing = await lstat(target).catch(() => undefined);
    if (existing !== undefined && !(existing.isDirectory() && node.kind === "dir"))
      await rm(target.toString("utf8"), { recursive: true, force: true });
    const first = node.hardlinkId === undefined ? undefined : firstNames.get(node.hardlinkId);
    if (first !== undefined) {
      await link(first, target);
      continue;
    }
    if (node.hardlinkId !== undefined) firstNames.set(node.hardlinkId, target);
    if (node.kind === "dir") {
      await mkdir(target, { recursive: true });
      folders.push({ path: target, mode: node.mode, time: node.mtimeSeconds });
    } else if (node.kind === "symlink") {
      await symlink(Buffer.from(node.link ?? "", "latin1"), target);
    } else if (node.kind === "file") {
      await copyFile(Buffer.from(node.hostPath, "latin1"), target);
      await chmod(target, node.mode);
      await utimes(target, node.mtimeSeconds, node.mtimeSeconds);
    }
    // Devices, FIFOs and sockets mean nothing in a folder of somebody's.
  }
  for (const { path, mode, time } of folders.reverse()) {
    await chmod(path, mode);
    await utimes(path, time, time);
  }
}
