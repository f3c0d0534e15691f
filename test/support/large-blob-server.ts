import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { type Descriptor, digestOf, MEDIA_TYPES, parseDigest } from "../../src/oci/index.ts";
import { drained } from "./drained.ts";

const BLOCK_BYTES = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

export interface LargeBlobServerOptions {
  /** Of the one layer; a whole number of MiB. */
  readonly size: number;
  /** Each connection gets at most so much of the layer; no bound when absent. */
  readonly bytesPerSecond?: number;
  /** All connections together get at most so much. */
  readonly bytesPerSecondInAll?: number;
  /** false: a Range header is not looked at. */
  readonly ranges?: boolean;
  /** Requests for the layer past this many at a time are answered 503. */
  readonly mostAtOnce?: number;
  /** The layer is elsewhere: whoever asks for it gets a link to another origin, good for so many requests. */
  readonly linkUses?: number;
  /** The layer's bytes are not what its digest says. */
  readonly corrupt?: boolean;
}

/** An image `x:1` whose one large layer is made as it is sent, at the pace of a line that does not exist. */
export interface LargeBlobServer extends AsyncDisposable {
  readonly host: string;
  readonly layer: Descriptor;
  /** Bytes of the layer that were sent. */
  sent(): number;
  /** Most requests for the layer that were answered at the same time, since the last reset. */
  mostAtOnce(): number;
  /** Links to the layer that were given out. */
  links(): number;
  /** Range headers of the requests for the layer. */
  readonly ranges: (string | undefined)[];
  reset(): void;
}

export async function startLargeBlobServer(options: LargeBlobServerOptions): Promise<LargeBlobServer> {
  const { size } = options;
  const layer = { mediaType: MEDIA_TYPES.ociLayerGzip, digest: digestOfContent(size), size };
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.byteLength },
      layers: [layer],
    }),
  );
  const uses = new Map<string, number>();
  const counts = { sent: 0, now: 0, most: 0 };
  const ranges: (string | undefined)[] = [];
  const line = new Pace(options.bytesPerSecondInAll);

  async function sendLayer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { range } = incoming.headers;
    ranges.push(range);
    if (counts.now >= (options.mostAtOnce ?? Number.POSITIVE_INFINITY)) {
      outgoing.writeHead(503).end();
      return;
    }
    counts.now++;
    counts.most = Math.max(counts.most, counts.now);
    try {
      const match = options.ranges === false ? null : /^bytes=(\d+)-(\d*)$/.exec(range ?? "");
      const first = match === null ? 0 : Number(match[1]);
      const end = match === null || match[2] === "" ? size : Number(match[2]) + 1;
      outgoing.writeHead(match === null ? 200 : 206, {
        "content-length": end - first,
        ...(match === null ? {} : { "content-range": `bytes ${first}-${end - 1}/${size}` }),
      });
      const pace = new Pace(options.bytesPerSecond);
      for (let at = first; at < end && !outgoing.destroyed; ) {
        const piece = contentAt(at, Math.min(PIECE_BYTES, end - at));
        if (options.corrupt === true) piece[0] = (piece[0] as number) ^ 1;
        await pace.pass(piece.byteLength);
        await line.pass(piece.byteLength);
        if (outgoing.destroyed) break;
        at += piece.byteLength;
        counts.sent += piece.byteLength;
        if (!outgoing.write(piece)) await drained(outgoing);
      }
      outgoing.end();
    } finally {
      counts.now--;
    }
  }

  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "";
    const answer = (bytes: Buffer, type: string): void => {
      outgoing.writeHead(200, {
        "content-type": type,
        "content-length": bytes.byteLength,
        "docker-content-digest": digestOf(bytes),
      });
      outgoing.end(incoming.method === "HEAD" ? undefined : bytes);
    };
    const link = /^\/link-(\d+)$/.exec(path)?.[1];
    if (link !== undefined) {
      const left = uses.get(link) ?? 0;
      uses.set(link, left - 1);
      if (left <= 0 || incoming.headers.authorization !== undefined) outgoing.writeHead(403).end();
      else void sendLayer(incoming, outgoing).catch(() => outgoing.destroy());
    } else if (path.endsWith(layer.digest) && options.linkUses !== undefined) {
      const name = String(uses.size);
      uses.set(name, options.linkUses);
      const { port } = server.address() as AddressInfo;
      outgoing.writeHead(307, { location: `http://localhost:${port}/link-${name}` }).end();
    } else if (path.endsWith(layer.digest))
      void sendLayer(incoming, outgoing).catch(() => outgoing.destroy());
    else if (path.endsWith(digestOf(config))) answer(config, "application/octet-stream");
    else if (path.includes("/manifests/")) answer(manifest, MEDIA_TYPES.ociManifest);
    else outgoing.writeHead(path === "/v2/" ? 200 : 404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    layer,
    sent: () => counts.sent,
    mostAtOnce: () => counts.most,
    links: () => uses.size,
    ranges,
    reset() {
      counts.sent = 0;
      counts.most = counts.now;
      ranges.length = 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Lets bytes pass at a rate. */
class Pace {
  readonly #rate: number | undefined;
  #freeAtMs = 0;

  constructor(rate: number | undefined) {
    this.#rate = rate;
  }

  async pass(bytes: number): Promise<void> {
    if (this.#rate === undefined) return;
    const nowMs = performance.now();
    this.#freeAtMs = Math.max(nowMs - 20, this.#freeAtMs) + (bytes * 1000) / this.#rate;
    if (this.#freeAtMs > nowMs) await setTimeout(this.#freeAtMs - nowMs);
  }
}

/** Every block of the layer begins with its number, so that none can be taken for another. */
function contentAt(offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length, 0x5a);
  for (let at = offset; at < offset + length; ) {
    const inBlock = at % BLOCK_BYTES;
    if (inBlock < 4) {
      bytes[at - offset] = (Math.floor(at / BLOCK_BYTES) >>> (8 * inBlock)) & 255;
      at++;
    } else {
      at += BLOCK_BYTES - inBlock;
    }
  }
  return bytes;
}

function digestOfContent(size: number): Descriptor["digest"] {
  const hash = createHash("sha256");
  for (let at = 0; at < size; at += BLOCK_BYTES) hash.update(contentAt(at, BLOCK_BYTES));
  return parseDigest(`sha256:${hash.digest("hex")}`);
}
