import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { digestOf, splitDigest } from "../../oci/index.ts";
import type { BuildStore } from "../collaborators.ts";
import { BuildError } from "../error.ts";
import { downloadMtimeSeconds } from "../files/index.ts";

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
  readonly url: string;
  readonly etag?: string;
  readonly lastModified?: string;
}

const MAX_REDIRECTS = 10;

/**
 * Downloads a URL into the store's cache; an unchanged file (by ETag or Last-Modified) is not moved again.
 * @throws {BuildError} DOWNLOAD_FAILED
 */
export async function downloadFile(
  url: string,
  store: BuildStore,
  options: {
    readonly signal: AbortSignal;
    readonly onBytes?: (count: number, total: number | undefined) => void;
  },
): Promise<DownloadedFile> {
  const folder = join(store.root, "cache", "http", splitDigest(digestOf(url)).hex.slice(0, 40));
  return store.withLease(
    `http-${splitDigest(digestOf(url)).hex.slice(0, 40)}`,
    () => fetchInto(folder, url, store, options),
    {
      signal: options.signal,
    },
  );
}

async function fetchInto(
  folder: string,
  url: string,
  store: BuildStore,
  { signal, onBytes }: Parameters<typeof downloadFile>[2],
): Promise<DownloadedFile> {
  const known = await readRecord(folder, url);
  const { request } = await import("undici");
  let address = url;
  for (let redirects = 0; ; redirects++) {
    const response = await request(address, { signal, headers: conditionalHeaders(known) }).catch(
      (cause: unknown) => {
        signal.throwIfAborted();
        throw failed(url, cause instanceof Error ? cause.message : String(cause), cause);
      },
    );
    const { statusCode, headers, body } = response;
    const location = headers["location"];
    if (statusCode >= 301 && statusCode <= 308 && statusCode !== 304 && typeof location === "string") {
      await body.dump();
      if (redirects >= MAX_REDIRECTS) throw failed(url, `more than ${MAX_REDIRECTS} redirects`);
      address = new URL(location, address).href;
      continue;
    }
    if (statusCode === 304 && known !== undefined) {
      await body.dump();
      return { ...known, path: join(folder, "file") };
    }
    if (statusCode !== 200) {
      await body.dump();
      throw failed(url, `invalid response status ${statusCode}`);
    }
    const temporary = await mkdtemp(join(store.tmpDir, "http-"));
    const hash = createHash("sha256");
    const total = Number(headers["content-length"] ?? Number.NaN);
    let size = 0;
    const count = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        onBytes?.(size, Number.isNaN(total) ? undefined : total);
        yield chunk;
      }
    };
    await pipeline(body, count, createWriteStream(join(temporary, "file")), { signal }).catch(
      (cause: unknown) => {
        signal.throwIfAborted();
        throw failed(url, cause instanceof Error ? cause.message : String(cause), cause);
      },
    );
    const lastModified = text(headers["last-modified"]);
    const etag = text(headers["etag"]);
    const record: DownloadRecord = {
      url,
      size,
      sha256: hash.digest("hex"),
      mtimeSeconds: downloadMtimeSeconds(lastModified),
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified }),
    };
    await writeFile(join(temporary, "record.json"), `${JSON.stringify(record, null, 1)}\n`);
    await rm(folder, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await rename(temporary, folder);
    return { ...record, path: join(folder, "file") };
  }
}

async function readRecord(folder: string, url: string): Promise<DownloadRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(join(folder, "record.json"), "utf8")) as DownloadRecord;
    return record.url === url ? record : undefined;
  } catch {
    return undefined;
  }
}

function conditionalHeaders(known: DownloadRecord | undefined): Record<string, string> {
  return {
    "user-agent": "strake",
    "accept-encoding": "identity",
    ...(known?.etag === undefined ? {} : { "if-none-match": known.etag }),
    ...(known?.etag !== undefined || known?.lastModified === undefined
      ? {}
      : { "if-modified-since": known.lastModified }),
  };
}

function text(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.[0];
}

function failed(url: string, reason: string, cause?: unknown): BuildError {
  return new BuildError("DOWNLOAD_FAILED", `Cannot download "${url}": ${reason}`, { cause });
}
