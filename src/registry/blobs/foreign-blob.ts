import { type Descriptor, OciError } from "../../oci/index.ts";
import { RegistryError } from "../error.ts";
import { redactUrl } from "../redact.ts";
import { parseContentRange } from "../transport/content-range.ts";
import { classifyAddress } from "../transport/net-address.ts";
import type { Answer, Sender } from "../transport/sender.ts";

export interface ForeignBlobOptions {
  readonly descriptor: Descriptor;
  readonly offset: number;
  readonly signal?: AbortSignal | undefined;
}

/** Where a blob lies that registries need not have: what its descriptor names. */
export function foreignUrls({ urls }: Descriptor): readonly string[] {
  return urls ?? [];
}

/** The error for a blob that only lies outside the registry, where going there was not allowed. */
export function foreignNotAllowed(descriptor: Descriptor, cause: unknown): OciError {
  const [url = ""] = foreignUrls(descriptor);
  const shown = URL.canParse(url) ? redactUrl(new URL(url)) : "elsewhere";
  return new OciError(
    "BLOB_NOT_FOUND",
    `Cannot pull blob "${descriptor.digest}": the registry does not have it, it lies at ${shown}`,
    { cause, hint: "--allow-foreign fetches such layers from where their image says" },
  );
}

/**
 * Opens a blob at the first of its descriptor's URLs that has it, over https from public hosts only and without any
 * credentials. The digest is the reader's to check.
 * @throws {RegistryError} what the last URL answered
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers
 */
export async function openForeignBlob(
  sender: Sender,
  { descriptor, offset, signal }: ForeignBlobOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { digest } = descriptor;
  let failure: Error | undefined;
  for (const text of foreignUrls(descriptor)) {
    const fail = (fault: string, cause?: unknown): RegistryError =>
      new RegistryError("BAD_RESPONSE", `Cannot pull blob "${digest}": ${fault}`, { cause });
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !isAllowed(url)) {
      failure ??= fail("its image names a place that is not used: only https addresses of public hosts are");
      continue;
    }
    const shown = redactUrl(url);
    try {
      const answer = await sender.send({
        method: "GET",
        url,
        headers: { "accept-encoding": "identity", ...(offset > 0 ? { range: `bytes=${offset}-` } : {}) },
        bulk: true,
        signal,
      });
      const body = bodyFrom(answer, offset);
      if (body !== undefined) return body;
      answer.body.discard();
      failure = fail(`${shown} answered ${answer.status}`);
    } catch (error) {
      signal?.throwIfAborted();
      failure = fail(`${shown}: ${error instanceof Error ? error.message : String(error)}`, error);
    }
  }
  throw failure ?? new TypeError("a foreign blob has URLs");
}

function isAllowed(url: URL): boolean {
  return (
    url.protocol === "https:" &&
    url.username === "" &&
    url.password === "" &&
    classifyAddress(url.hostname) === "public"
  );
}

/** The bytes from the offset on, if that is what was answered. */
function bodyFrom({ status, headers, body }: Answer, offset: number): AsyncIterable<Uint8Array> | undefined {
  if (status === 200) return offset === 0 ? body : skipBytes(body, offset);
  const range = status === 206 ? parseContentRange(headers.one("content-range")) : undefined;
  return offset > 0 && range?.first === offset ? body : undefined;
}

async function* skipBytes(
  bytes: AsyncIterable<Uint8Array>,
  count: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  for await (const chunk of bytes) {
    const skipped = Math.min(left, chunk.byteLength);
    left -= skipped;
    if (skipped < chunk.byteLength) yield chunk.subarray(skipped);
  }
}
