import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { BuildError } from "../../error.ts";
import { redactCredentials } from "../../redact-url.ts";
import type { HttpClient, HttpResponse } from "./http-client.ts";

export interface DownloadOptions {
  readonly client: HttpClient;
  /** Sent with the first request: If-None-Match and the like. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onBytes?: ((count: number, total: number | undefined) => void) | undefined;
}

/** What came; undefined for 304, when nothing did. */
export interface DownloadedBody {
  readonly size: number;
  readonly sha256: string;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Waits before the second, third and fourth attempt, in milliseconds. */
const PAUSES_MS = [300, 1_000, 3_000];
const TRANSIENT_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const HOPELESS: ReadonlySet<string> = new Set([
  "ENOTFOUND",
  "ENOSPC",
  "EDQUOT",
  "ECONNREFUSED",
  "ERR_INVALID_URL",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/**
 * Downloads a URL into a new file. What breaks off goes on from where it was, if the server still has the same file;
 * a server that is busy is asked again.
 * @throws {BuildError} DOWNLOAD_FAILED; the signal's reason
 */
export async function downloadBody(
  url: string,
  path: string,
  options: DownloadOptions,
): Promise<DownloadedBody | undefined> {
  const file = await open(path, "wx", 0o600);
  try {
    return await new Download(url, file, options).run();
  } finally {
    await file.close();
  }
}

class Download {
  readonly #url: string;
  readonly #file: FileHandle;
  readonly #options: DownloadOptions;
  #hash: Hash = createHash("sha256");
  #size = 0;
  /** ETag or time of what has come so far: what the rest has to be of. */
  #validator: string | undefined;

  constructor(url: string, file: FileHandle, options: DownloadOptions) {
    this.#url = url;
    this.#file = file;
    this.#options = options;
  }

  async run(): Promise<DownloadedBody | undefined> {
    const { signal } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const pauseMs = PAUSES_MS[attempt];
      try {
        return await this.#attempt(pauseMs === undefined);
      } catch (error) {
        signal.throwIfAborted();
        if (pauseMs === undefined || error instanceof BuildError || isHopeless(error))
          throw error instanceof BuildError ? error : this.#failed(describe(error), error);
        await sleep(pauseMs, undefined, { signal });
      }
    }
  }

  async #attempt(isLast: boolean): Promise<DownloadedBody | undefined> {
    const { client, headers, signal } = this.#options;
    const isResumed = this.#size > 0 && this.#validator !== undefined;
    const sent = isResumed
      ? { range: `bytes=${this.#size}-`, "if-range": this.#validator as string }
      : this.#size > 0
        ? {}
        : headers;
    const response = await client.get(this.#url, {
      headers: { "user-agent": "strake", "accept-encoding": "identity", ...sent },
      signal,
    });
    const { status } = response;
    if (status === 304 && !isResumed) {
      await response.body.dump();
      return undefined;
    }
    const continues = isResumed && status === 206 && startOf(response) === this.#size;
    if (!continues) {
      const isWhole = status >= 200 && status < 300 && status !== 206;
      if (!isWhole) {
        await response.body.dump();
        // The pieces do not fit: from the beginning.
        if (isResumed && (status === 206 || status === 416)) await this.#restart();
        else if (isLast || !TRANSIENT_STATUS.has(status)) throw this.#refused(status);
        throw new Error(`response status ${status}`);
      }
      await this.#restart();
    }
    return await this.#read(response);
  }

  async #read(response: HttpResponse): Promise<DownloadedBody> {
    const etag = response.header("etag");
    const lastModified = response.header("last-modified");
    // A weak ETag says nothing about bytes.
    this.#validator = etag?.startsWith('"') === true ? etag : lastModified;
    const length = Number(response.header("content-length") ?? Number.NaN);
    const total = Number.isSafeInteger(length) ? this.#size + length : undefined;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      await this.#write(chunk);
      this.#options.onBytes?.(this.#size, total);
    }
    if (total !== undefined && this.#size !== total)
      throw new Error(`it ended after ${this.#size} of ${total} bytes`);
    return { size: this.#size, sha256: this.#hash.digest("hex"), etag, lastModified };
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      const { bytesWritten } = await this.#file.write(
        chunk,
        offset,
        chunk.length - offset,
        this.#size + offset,
      );
      offset += bytesWritten;
    }
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  async #restart(): Promise<void> {
    if (this.#size === 0) return;
    await this.#file.truncate(0);
    this.#hash = createHash("sha256");
    this.#size = 0;
    this.#validator = undefined;
  }

  #refused(status: number): BuildError {
    const host = URL.canParse(this.#url) ? new URL(this.#url).hostname : "HOST";
    const hint =
      status === 401 || status === 403
        ? `If it wants a token, give it: --secret id=HTTP_AUTH_TOKEN_${host},env=NAME, or a whole header: id=HTTP_AUTH_HEADER_${host}`
        : undefined;
    return this.#failed(`invalid response status ${status}`, undefined, hint);
  }

  #failed(reason: string, cause?: unknown, hint?: string): BuildError {
    const message = `Cannot download "${redactCredentials(this.#url)}": ${redactCredentials(reason)}`;
    return new BuildError("DOWNLOAD_FAILED", message, { cause, hint });
  }
}

function startOf(response: HttpResponse): number | undefined {
  const match = /^bytes (\d+)-/.exec(response.header("content-range") ?? "");
  return match === null ? undefined : Number(match[1]);
}

function isHopeless(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" && (HOPELESS.has(code) || /CERT|SELF_SIGNED|ISSUER/.test(code));
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
