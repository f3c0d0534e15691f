import { rm } from "node:fs/promises";
import {
  type ByteString,
  type Descriptor,
  fromByteString,
  MEDIA_TYPES,
  toByteString,
} from "../../oci/index.ts";
import { UNPACK, UNPACKED_DIGEST } from "../../registry/index.ts";
import { gzip } from "../../store/compress/gzip.ts";
import { HandOff } from "../../store/layers/hand-off.ts";
import { describe, listNames, statHost } from "../../store/layers/host-files.ts";
import { LayerError, type SourcedEntry } from "../../store/layers/index.ts";
import { Packer } from "../../store/layers/packer.ts";
import { CliError } from "../error.ts";
import { findEscape } from "./find-escape.ts";
import { type Measured, writeMeasured } from "./measure.ts";

/**
 * Packs a folder as oras does, so that either unpacks what the other packed: a tar, compressed with gzip, in which every
 * name begins with the title. Equal files make equal bytes: names are sorted, and there are no times and owners.
 * @param folder absolute
 * @param target where the archive goes
 * @throws {CliError} INPUT_UNUSABLE for what no puller would unpack: sockets, devices, links that lead out
 */
export async function packFolder(
  folder: string,
  target: string,
  {
    shown,
    title,
    mediaType = MEDIA_TYPES.ociLayerGzip,
    signal,
  }: {
    readonly shown: string;
    readonly title: string;
    readonly mediaType?: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<Descriptor> {
  const base = toByteString(title === "." ? "" : title);
  const entries = [...walk(toByteString(folder), base, shown)];
  refuseEscapes(entries, base, shown);
  try {
    return await writeArchive(entries, target, mediaType, signal);
  } catch (error) {
    await rm(target, { force: true });
    if (error instanceof LayerError) {
      const hint = "Push it again when nothing writes to the folder";
      throw new CliError("INPUT_UNUSABLE", error.message, { hint, cause: error });
    }
    const { code, path } = error as NodeJS.ErrnoException;
    if (path?.startsWith(`${folder}/`) !== true) throw error;
    throw unreadable(`${shown}${path.slice(folder.length)}`, code, error);
  }
}

async function writeArchive(
  entries: readonly SourcedEntry[],
  target: string,
  mediaType: string,
  signal: AbortSignal,
): Promise<Descriptor> {
  const tar = new HandOff<Uint8Array>();
  const packing = new Packer({ onTarChunk: (chunk) => tar.give(chunk), signal }).pack(entries).then(
    ({ diffId }) => {
      tar.end();
      return diffId;
    },
    (error: unknown) => {
      tar.fail(error);
      return "";
    },
  );
  let measured: Measured;
  try {
    measured = await writeMeasured(gzip(tar), target, { attempt: "pack a folder", signal });
  } finally {
    tar.leave();
  }
  return {
    mediaType,
    ...measured,
    annotations: { [UNPACKED_DIGEST]: await packing, [UNPACK]: "true" },
  };
}

/** A folder with all that is in it, each folder before its contents, names in the order of their bytes. */
function* walk(hostPath: string, path: ByteString, shown: string): Generator<SourcedEntry> {
  const entry = entryAt(hostPath, path, shown);
  yield entry;
  if (entry.kind !== "dir") return;
  for (const name of namesIn(hostPath, shown)) {
    const inside = (path === "" ? name : `${path}/${name}`) as ByteString;
    yield* walk(`${hostPath}/${name}`, inside, `${shown}/${fromByteString(name as ByteString)}`);
  }
}

function namesIn(hostPath: string, shown: string): readonly string[] {
  try {
    return listNames(hostPath);
  } catch (cause) {
    throw unreadable(shown, (cause as NodeJS.ErrnoException).code, cause);
  }
}

function unreadable(shown: string, code: string | undefined, cause: unknown): CliError {
  const state = code === "EACCES" ? "permission denied" : code;
  return new CliError("INPUT_UNUSABLE", `Cannot pack "${shown}": ${state}`, { cause });
}

function entryAt(hostPath: string, path: ByteString, shown: string): SourcedEntry {
  const stats = statHost(hostPath);
  if (stats === undefined) throw new CliError("INPUT_UNUSABLE", `Cannot pack "${shown}": it is gone`);
  const { kind, mode, size, link } = describe(stats, hostPath);
  const common = { path, mode: mode & 0o777, uid: 0, gid: 0, mtimeSeconds: 0 } as const;
  switch (kind) {
    case "dir":
      return { ...common, kind, size: 0 };
    case "symlink":
      return { ...common, kind, mode: 0o777, size: 0, link: link as ByteString };
    case "file":
      return { ...common, kind, size, content: { kind: "file", hostPath } };
    default:
      throw new CliError("INPUT_UNUSABLE", `Cannot pack "${shown}": it is no file, folder or symlink`, {
        hint: "Leave it out of the folder",
      });
  }
}

/** @param base what every name begins with */
function refuseEscapes(entries: readonly SourcedEntry[], base: ByteString, shown: string): void {
  const links = new Map<ByteString, ByteString>();
  for (const { path, link } of entries) if (link !== undefined) links.set(path, link);
  const found = findEscape(links, base);
  if (found === undefined) return;
  const name = fromByteString(found.slice(base.length).replace(/^\//, "") as ByteString);
  const target = fromByteString(links.get(found) as ByteString);
  throw new CliError(
    "INPUT_UNUSABLE",
    `Cannot pack "${shown}/${name}": it is a symlink to "${target}", which leads out of the folder`,
    { hint: "Nobody would unpack it: leave it out, or replace it by what it points to" },
  );
}
