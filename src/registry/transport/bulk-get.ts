import { isIP } from "node:net";
import type { TlsConfig } from "../hosts/types.ts";
import { readFramed } from "./bulk-body.ts";
import { BulkConnection, type ConnectSocket, RING_BUFFERS } from "./bulk-connection.ts";
import type { ExchangeRequest, ExchangeResponse, ResponseBody } from "./exchange.ts";
import { NetworkError, toNetworkError } from "./network-error.ts";
import { parseResponseHead, type ResponseHead } from "./response-head.ts";
import { createTlsKeys } from "./tls-key.ts";
import type { TlsOptions } from "./tls-options.ts";

const MAX_HEAD_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
/** Shorter rests of bodies are read so that their connection can be used again. */
const DISCARD_BYTES = 64 * 1024;
/** Servers close idle connections after a while; using one just then costs a retry. */
const IDLE_MS = 15_000;

/**
 * Memory for transient chunks that the first connections share, and the sizes of a buffer of it: each chunk costs its reader a
 * round, so what is alone takes more at a time.
 */
const TRANSIENT_BYTES = 6 * 1024 * 1024;
const MIN_BUFFER_BYTES = 512 * 1024;

/** Fetches large bodies over connections of its own; see `BulkConnection`. */
export interface BulkGet {
  /** @throws {NetworkError} */
  get(request: ExchangeRequest): Promise<ExchangeResponse>;
  close(): void;
}

/** Loads what TLS needs only when it is asked. */
export type TlsFor = (tls: TlsConfig | undefined) => Promise<TlsOptions>;

interface Idle {
  readonly connection: BulkConnection;
  readonly timer: NodeJS.Timeout;
}

/** @param tlsFor gives Node's options for TLS settings */
export function createBulkGet(tlsFor: TlsFor): BulkGet {
  const idle = new Map<string, Idle[]>();
  const tlsKey = createTlsKeys();
  const busy = new Set<BulkConnection>();

  function reuse(key: string): BulkConnection | undefined {
    for (;;) {
      const found = idle.get(key)?.pop();
      if (found === undefined) return undefined;
      clearTimeout(found.timer);
      // Bytes that nobody asked for would be taken for the next answer.
      if (found.connection.isOpen && !found.connection.hasBytes) {
        found.connection.setIdle(false);
        return found.connection;
      }
      found.connection.destroy();
    }
  }

  function keep(key: string, connection: BulkConnection): void {
    if (!connection.isOpen || connection.hasBytes) {
      connection.destroy();
      return;
    }
    connection.setIdle(true);
    const list = idle.get(key) ?? [];
    const entry = { connection, timer: setTimeout(() => connection.destroy(), IDLE_MS).unref() };
    idle.set(key, [...list, entry]);
  }

  return {
    async get(request) {
      const { url, tls, signal } = request;
      signal?.throwIfAborted();
      const key = `${url.origin} ${tlsKey(tls)}`;
      const reused = reuse(key);
      const connection =
        reused ?? (await connect(url, url.protocol === "https:" ? await tlsFor(tls) : undefined, signal));
      const onAbort = (): void => connection.fail(new NetworkError("other", "the request was aborted"));
      signal?.addEventListener("abort", onAbort, { once: true });
      busy.add(connection);
      const finish = (isClean: boolean): void => {
        busy.delete(connection);
        signal?.removeEventListener("abort", onAbort);
        if (isClean) keep(key, connection);
        else connection.destroy();
      };
      try {
        connection.setTransient(request.transient === true ? bufferBytes(busy.size) : undefined);
        connection.write(requestHead(request));
        const head = await readHead(connection, request.answerTimeoutMs);
        const body = createBody(connection, head, request, finish);
        return { status: head.status, headers: head.headers, body };
      } catch (error) {
        finish(false);
        if (signal?.aborted === true) throw signal.reason;
        if (!(error instanceof NetworkError) || reused === undefined) throw error;
        throw new NetworkError(error.fault, error.message, { cause: error.cause, reused: true });
      }
    },
    close() {
      for (const { connection, timer } of [...idle.values()].flat()) {
        clearTimeout(timer);
        connection.destroy();
      }
      idle.clear();
    },
  };
}

function bufferBytes(connections: number): number {
  return Math.max(MIN_BUFFER_BYTES, Math.floor(TRANSIENT_BYTES / connections / RING_BUFFERS));
}

function requestHead({ url, headers }: ExchangeRequest): string {
  const lines = [`GET ${url.pathname}${url.search} HTTP/1.1`, `host: ${url.host}`];
  for (const [name, value] of Object.entries(headers)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what would start another header
    if (/[\r\n\u0000]/.test(`${name}${value}`)) throw new TypeError(`Header "${name}" has a line break`);
    lines.push(`${name}: ${value}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

async function readHead(connection: BulkConnection, timeoutMs: number): Promise<ResponseHead> {
  let received: Buffer = Buffer.alloc(0);
  for (;;) {
    const end = received.indexOf("\r\n\r\n");
    if (end >= 0) {
      const head = parseResponseHead(received.subarray(0, end).toString("latin1"));
      if (head === undefined) throw new NetworkError("protocol", "the server did not speak HTTP");
      received = received.subarray(end + 4);
      // 100 Continue, 103 Early Hints: the answer proper follows.
      if (head.status < 200) continue;
      connection.unread(received);
      return head;
    }
    if (received.byteLength > MAX_HEAD_BYTES)
      throw new NetworkError("protocol", "the server sent too many headers");
    const chunk = await connection.read(timeoutMs);
    if (chunk === undefined) throw new NetworkError("reset", "the connection was closed too early");
    received =
      received.byteLength === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        : Buffer.concat([received, chunk]);
  }
}

function createBody(
  connection: BulkConnection,
  { framing, keepAlive }: ResponseHead,
  { stallTimeoutMs, signal }: ExchangeRequest,
  finish: (isClean: boolean) => void,
): ResponseBody {
  const isEmpty = framing.kind === "length" && framing.bytes === 0;
  if (isEmpty) finish(keepAlive);
  async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    if (isEmpty) return;
    let isComplete = false;
    try {
      yield* readFramed(connection, framing, stallTimeoutMs);
      isComplete = true;
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw error;
    } finally {
      finish(isComplete && keepAlive);
    }
  }
  return {
    [Symbol.asyncIterator]: bytes,
    discard: () => void discard(bytes()),
  };
}

async function discard(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  let left = DISCARD_BYTES;
  try {
    for await (const chunk of bytes) {
      left -= chunk.byteLength;
      if (left < 0) break;
    }
  } catch {
    // Nobody wants these bytes; the connection is gone, that is all.
  }
}

async function connect(
  url: URL,
  secure: TlsOptions | undefined,
  signal: AbortSignal | undefined,
): Promise<BulkConnection> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isTls = secure !== undefined;
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const options = { host, port };
  const net = await import("node:net");
  const connectTls = isTls ? await import("node:tls") : undefined;
  signal?.throwIfAborted();
  return await new Promise<BulkConnection>((resolve, reject) => {
    const start: ConnectSocket = (onread) => {
      const { buffer, callback } = onread;
      const reader = { onread: { buffer: buffer as () => Buffer, callback } };
      const socket =
        connectTls === undefined
          ? net.connect({ ...options, ...reader })
          : connectTls.connect({
              ...options,
              ...secure,
              ...reader,
              ...(isIP(host) === 0 ? { servername: host } : {}),
            });
      const settle = (action: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        action();
      };
      const onAbort = (): void =>
        settle(() => {
          reject(signal?.reason);
          socket.destroy();
        });
      const timer = setTimeout(() => {
        settle(() => reject(new NetworkError("timeout", "the connection could not be made in time")));
        socket.destroy();
      }, CONNECT_TIMEOUT_MS);
      signal?.addEventListener("abort", onAbort, { once: true });
      socket.once(isTls ? "secureConnect" : "connect", () => settle(() => resolve(connection)));
      socket.once("error", (error) => settle(() => reject(toNetworkError(error))));
      return socket;
    };
    const connection = new BulkConnection(start);
  });
}
