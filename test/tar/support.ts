import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { LayerEntry } from "../../src/oci/layer-entry.ts";
import { toByteString } from "../../src/oci/layer-entry.ts";
import {
  END_OF_ARCHIVE_BYTES,
  encodeHeader,
  paddingOf,
  type TarHeader,
  TarParser,
  type TarParserOptions,
} from "../../src/tar/index.ts";

/** An entry as a test describes it: text paths, the rest optional. */
export interface Spec extends Partial<Omit<LayerEntry, "path" | "link" | "xattrs">> {
  readonly path: string;
  readonly link?: string;
  readonly content?: Uint8Array | string;
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

export function makeEntry({ path, link, content, xattrs, ...rest }: Spec): LayerEntry {
  const bytes = content === undefined ? undefined : Buffer.from(content);
  return {
    kind: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeSeconds: 1_700_000_000,
    size: bytes?.length ?? 0,
    ...rest,
    path: toByteString(path),
    ...(link !== undefined && { link: toByteString(link) }),
    ...(xattrs !== undefined && { xattrs: new Map(Object.entries(xattrs)) }),
  };
}

/** A whole archive out of our own headers. */
export function makeTar(specs: readonly Spec[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const spec of specs) {
    const entry = makeEntry(spec);
    parts.push(encodeHeader(entry), Buffer.from(spec.content ?? ""), Buffer.alloc(paddingOf(entry.size)));
  }
  return Buffer.concat([...parts, Buffer.alloc(END_OF_ARCHIVE_BYTES)]);
}

/** One header block with any fields, its checksum right unless said otherwise. */
export function makeBlock(
  fields: {
    readonly name: string;
    readonly type?: string;
    readonly size?: string | Buffer;
    readonly magic?: string;
  },
  change: (block: Buffer) => void = () => undefined,
): Buffer {
  const block = Buffer.alloc(512);
  block.write(fields.name, 0, "latin1");
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  if (Buffer.isBuffer(fields.size)) fields.size.copy(block, 124);
  else block.write(fields.size ?? "00000000000\0", 124);
  block.write("00000000000\0", 136);
  block.write(fields.type ?? "0", 156);
  block.write(fields.magic ?? "ustar\x0000", 257, "latin1");
  change(block);
  setChecksum(block);
  return block;
}

export function setChecksum(block: Buffer): void {
  block.write("        ", 148);
  let sum = 0;
  for (const byte of block.subarray(0, 512)) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
}

export interface ReadEntry extends TarHeader {
  readonly content: Buffer;
}

/** Reads a whole archive, handing it over in chunks of `chunkBytes`. */
export async function readAll(
  tar: Uint8Array,
  options: TarParserOptions & { readonly chunkBytes?: number } = {},
): Promise<ReadEntry[]> {
  const { chunkBytes = tar.length, ...parserOptions } = options;
  const entries: { readonly header: TarHeader; readonly parts: Uint8Array[] }[] = [];
  const parts = (): Uint8Array[] => {
    const last = entries.at(-1);
    if (last === undefined) throw new Error("invariant: content belongs to an entry");
    return last.parts;
  };
  const parser = new TarParser(
    {
      entry: (header) => entries.push({ header, parts: [] }),
      content: (bytes) => parts().push(Buffer.from(bytes)),
      hole: (length) => parts().push(Buffer.alloc(length)),
      end: () => undefined,
    },
    parserOptions,
  );
  for await (const chunk of chunksOf(tar, chunkBytes)) parser.write(chunk);
  parser.finish();
  return entries.map(({ header, parts }) => ({ ...header, content: Buffer.concat(parts) }));
}

export async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A temporary folder, removed when the test is over. */
export function makeTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "strake-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function run(program: string, args: readonly string[], input?: Uint8Array): Buffer {
  // bsdtar converts names between UTF-8 and the locale's charset, and refuses what does not fit.
  const env = { ...process.env, LC_ALL: "C.UTF-8" };
  return execFileSync(program, args, { input, env, maxBuffer: 1 << 28, stdio: ["pipe", "pipe", "pipe"] });
}

export function hasProgram(name: string, ...args: readonly string[]): boolean {
  return spawnSync(name, args.length === 0 ? ["--version"] : args, { stdio: "ignore" }).status === 0;
}

/** One entry of every kind, with what is hard to write of each. */
export const SAMPLE: readonly Spec[] = [
  { path: "d", kind: "dir", mode: 0o755 },
  { path: "d/empty" },
  { path: "d/f", content: "hello", xattrs: { "user.x": Buffer.from([0, 1, 2]) } },
  { path: `d/${"long".repeat(60)}`, content: "x".repeat(512) },
  { path: "d/größe", content: "y".repeat(1500), mtimeSeconds: -5 },
  { path: "d/h", kind: "hardlink", link: "d/f" },
  { path: "l", kind: "symlink", link: "t".repeat(200) },
  { path: "null", kind: "char", major: 1, minor: 3 },
  { path: "pipe", kind: "fifo" },
];
