import type { FileBytes } from "../../oci/index.ts";
import type { TlsConfig } from "../hosts/types.ts";

/** The bytes of a request. Chunks are pulled as the connection takes them. */
export type RequestBody =
  | Uint8Array
  | {
      /** Bytes in all; undefined when nobody knows yet. */
      readonly size: number | undefined;
      readonly chunks: AsyncIterable<Uint8Array>;
      /** Opens the same bytes where they are a file's, instead of the chunks. */
      readonly openFile?: (() => Promise<FileBytes | undefined>) | undefined;
    };

/** `Expect: 100-continue`, which costs a round trip and saves bodies that nobody takes. */
export interface ExpectContinue {
  /** For bodies from this size on, and those whose size nobody knows. */
  readonly leastBytes: number;
  readonly timeoutMs: number;
}

export interface ExchangeRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody | undefined;
  /** How long the server may think, once it has the whole request. */
  readonly answerTimeoutMs: number;
  /** How long nothing may move while a body is on its way, in either direction. */
  readonly stallTimeoutMs: number;
  readonly tls?: TlsConfig | undefined;
  /** Send a body of some size only once the server wants it; one that does not say so in time gets it anyway. */
  readonly expectContinue?: ExpectContinue | undefined;
  /** A GET whose body is large: worth a connection that reads faster. */
  readonly bulk?: boolean | undefined;
  /** Chunks of the answer need not outlast the request for the next one. */
  readonly transient?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ExchangeResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ResponseBody;
}

/** Headers of a response by lower-case name. */
export interface Headers {
  /** The header's value; of several, the first. */
  one(name: string): string | undefined;
  all(name: string): readonly string[];
}

/**
 * A response's bytes, to be read once. Whoever gets a response either reads the body to its end or calls `discard`.
 * Ending the iteration early closes the connection.
 */
export interface ResponseBody extends AsyncIterable<Uint8Array> {
  /** Drops the rest: reads it if it is short, so that the connection can be used again; else closes. */
  discard(): void;
}

/** Sends one request over a connection of its own choice, and no more: no redirects, retries or credentials. */
export interface Exchange {
  /** @throws {NetworkError} */
  send(request: ExchangeRequest): Promise<ExchangeResponse>;
  /** Closes idle connections. */
  close(): void;
}

/** Reads a body that must be small. @throws {BodyTooLongError} */
export async function readBody(body: ResponseBody, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new BodyTooLongError(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Takes a body in now, so that what breaks on its way breaks here. Of one that is too long just enough is kept for
 * whoever reads it to notice.
 */
export async function bufferBody(body: ResponseBody, maxBytes: number): Promise<ResponseBody> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > maxBytes) break;
  }
  return {
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
    discard() {},
  };
}

/** Reads at most that much of a body, for showing to a person. */
export async function readBodyStart(body: ResponseBody, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size >= maxBytes) break;
    }
  } catch {
    // The status is what matters; a body that broke off only makes the message shorter.
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}

/** A body that is longer than what it is for allows. */
export class BodyTooLongError extends Error {
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
  }
}
