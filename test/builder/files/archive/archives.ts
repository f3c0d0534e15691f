import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";

/** An entry as tar-stream takes it, with its text. */
export type ArchiveEntry = Partial<Header> & { readonly name: string } & { readonly text?: string };

export const ARCHIVE_TIME = new Date(1234567890_000);

/** A tar of these entries, with names written exactly as given. */
export async function tarOf(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text, ...header } of entries) {
    tar.entry({ mode: 0o644, uid: 0, gid: 0, mtime: ARCHIVE_TIME, ...header }, text ?? "");
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export type Packing = "plain" | "gzip" | "bzip2" | "zstd" | "xz" | "lzma";

/** Undefined when the program for it is not installed. */
export function compress(bytes: Buffer, packing: Packing): Buffer | undefined {
  if (packing === "plain") return bytes;
  if (packing === "gzip") return gzipSync(bytes);
  const [program, ...args] = packing === "lzma" ? ["xz", "--format=lzma"] : [packing];
  try {
    return execFileSync(program as string, [...args, "-c"], { input: bytes, maxBuffer: 1 << 28 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export async function writeArchive(folder: string, entries: readonly ArchiveEntry[]): Promise<void> {
  writeFileSync(join(folder, "a.tar"), await tarOf(entries));
}
