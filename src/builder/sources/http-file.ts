import { mkdir, mkdtemp, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf, splitDigest } from "../../oci/index.ts";
import type { SourceStore } from "../collaborators.ts";
import { downloadMtimeSeconds } from "../files/index.ts";
import { downloadBody } from "./http/download-body.ts";
import type { HttpClient } from "./http/http-client.ts";
import type { KeptSources } from "./kept-sources.ts";

/** A file from the web, on disk. */
export interface DownloadedFile {
  readonly path: string;
  readonly size: number;
  /** sha256 in hex. */
  readonly sha256: string;
  /** From Last-Modified; 0 when the server did not say. */
  readonly mtimeSeconds: number;
}

/** What is kept beside a download, so that the next build asks only whether it changed. */
interface DownloadRecord extends Omit<DownloadedFile, "path"> {
  /** Digest of the URL. */
  readonly key: string;
  readonly etag?: string;
  readonly lastModified?: string;
}

export interface DownloadFileOptions {
  readonly client: HttpClient;
  /** Keeps the file where it is until the build has ended. */
  readonly kept: KeptSources;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onBytes?: (count: number, total: number | undefined) => void;
}

/**
 * Downloads a URL into the store's cache; an unchanged file (by ETag or Last-Modified) is not moved again.
 * @throws {BuildError} DOWNLOAD_FAILED
 */
export async function downloadFile(
  url: string,
  store: SourceStore,
  options: DownloadFileOptions,
): Promise<DownloadedFile> {
  const name = splitDigest(digestOf(url)).hex.slice(0, 40);
  const folder = await options.kept.hold("http", name, options.signal);
  return store.withLease(`http-${name}`, () => fetchInto(folder, url, store, options), {
    signal: options.signal,
  });
}

async function fetchInto(
  folder: string,
  url: string,
  store: SourceStore,
  { client, signal, onBytes, now }: DownloadFileOptions,
): Promise<DownloadedFile> {
  const known = await readRecord(folder, url);
  const temporary = await mkdtemp(join(store.tmpDir, "http-"));
  try {
    const body = await downloadBody(url, join(temporary, "file"), {
      client,
      headers: conditionalHeaders(known),
      signal,
      onBytes,
    });
    if (body === undefined && known !== undefined) {
      // Says when it was last used.
      await utimes(folder, now() / 1000, now() / 1000);
      return { ...known, path: join(folder, known.sha256) };
    }
    if (body === undefined) throw new Error("invariant: 304 only answers a conditional request");
    const { size, sha256, etag, lastModified } = body;
    const record: DownloadRecord = {
      // The address itself may hold a password.
      key: digestOf(url),
      size,
      sha256,
      mtimeSeconds: downloadMtimeSeconds(lastModified),
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified }),
    };
    await writeFile(join(temporary, "record.json"), `${JSON.stringify(record, null, 1)}\n`);
    await mkdir(folder, { recursive: true });
    // A file that is there already stays: other builds may be reading it.
    const path = join(folder, sha256);
    if (!(await isFileOf(path, size))) await rename(join(temporary, "file"), path);
    await rename(join(temporary, "record.json"), join(folder, "record.json"));
    return { ...record, path };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function readRecord(folder: string, url: string): Promise<DownloadRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(join(folder, "record.json"), "utf8")) as DownloadRecord;
    const isWhole =
      record.key === digestOf(url) && (await isFileOf(join(folder, record.sha256), record.size));
    return isWhole ? record : undefined;
  } catch {
    return undefined;
  }
}

async function isFileOf(path: string, size: number): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.size === size;
}

function conditionalHeaders(known: DownloadRecord | undefined): Record<string, string> {
  return {
    ...(known?.etag === undefined ? {} : { "if-none-match": known.etag }),
    ...(known?.etag !== undefined || known?.lastModified === undefined
      ? {}
      : { "if-modified-since": known.lastModified }),
  };
}
