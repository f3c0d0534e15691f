import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { drained } from "./drained.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** How many requests with this method and path came before. */
  readonly nth: number;
}

/** What happens to one request instead of being passed on as it is. */
export type Fault =
  /** The connection is reset without an answer. */
  | { readonly kind: "reset" }
  /** Answered here. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Record<string, string | string[]>;
      readonly body?: string;
    }
  /** The real answer, of which the body is cut after so many bytes by closing the connection. */
  | {
      readonly kind: "cut";
      readonly afterBytes: number;
      /** Other headers than the real answer's; undefined removes one. */
      readonly set?: Readonly<Record<string, string | undefined>>;
    }
  /** The real answer with another body. */
  | { readonly kind: "tamper"; readonly change: (body: Buffer) => Buffer }
  /** The real answer with other headers; undefined removes one. */
  | { readonly kind: "headers"; readonly set: Readonly<Record<string, string | undefined>> }
  /** The real answer with another Location. */
  | { readonly kind: "location"; readonly change: (location: string) => string }
  /** Passed on without its Range header, as by a server that knows none. */
  | { readonly kind: "no-range" }
  /** The request reaches the registry, but its answer never comes back. */
  | { readonly kind: "lose-answer" }
  /** The body of the request is read up to here, then the connection is reset. The registry sees it where `forward`. */
  | { readonly kind: "break-upload"; readonly afterBytes: number; readonly forward?: boolean }
  /** The whole body of the request is read and thrown away, then answered here. */
  | { readonly kind: "late-answer"; readonly status: number }
  /** The real answer, of which nothing more comes after so many bytes of its body; the connection stays open. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  /** The request is taken, and nothing ever comes back. */
  | { readonly kind: "hang" }
  /** The real answer, in small pieces with a pause after each. */
  | { readonly kind: "drip"; readonly pieceBytes: number; readonly pauseMs: number };

export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  readonly seen: SeenRequest[];
  /** Everything that clients have sent here and were sent, headers included. */
  bytes(): number;
  rule: (request: SeenRequest) => Fault | undefined;
  /** Forgets rule, requests and counts. */
  reset(): void;
}

/** Stands before a real registry (or none) and does to it what networks do. */
export async function startProxy(target?: string): Promise<FaultProxy> {
  const counts = new Map<string, number>();
  const proxy: Pick<FaultProxy, "seen" | "rule"> = { seen: [], rule: () => undefined };
  const open = new Set<Socket>();
  let closedBytes = 0;
  const bytesOf = ({ bytesRead, bytesWritten }: Socket): number => bytesRead + bytesWritten;
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "/";
    const key = `${incoming.method} ${path}`;
    const nth = counts.get(key) ?? 0;
    counts.set(key, nth + 1);
    const seen = { method: incoming.method ?? "", path, headers: incoming.headers, nth };
    proxy.seen.push(seen);
    const fault = proxy.rule(seen);
    void serve(incoming, outgoing, fault, target).catch(() => outgoing.destroy());
  });
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      closedBytes += bytesOf(socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return Object.assign(proxy, {
    host: `127.0.0.1:${port}`,
    bytes: () => [...open].reduce((sum, socket) => sum + bytesOf(socket), closedBytes),
    reset() {
      proxy.rule = () => undefined;
      proxy.seen.length = 0;
      counts.clear();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
  target: string | undefined,
): Promise<void> {
  if (fault?.kind === "reset") {
    incoming.socket.resetAndDestroy();
    return;
  }
  if (fault?.kind === "answer") {
    outgoing.writeHead(fault.status, fault.headers ?? {});
    outgoing.end(fault.body ?? "");
    return;
  }
  if (fault?.kind === "hang") return;
  if (fault?.kind === "late-answer") {
    for await (const _chunk of incoming);
    outgoing.writeHead(fault.status).end();
    return;
  }
  if (fault?.kind === "break-upload" && (fault.forward !== true || target === undefined)) {
    let left = fault.afterBytes;
    for await (const chunk of incoming) {
      left -= (chunk as Buffer).byteLength;
      if (left <= 0) break;
    }
    incoming.socket.resetAndDestroy();
    return;
  }
  if (target === undefined) {
    outgoing.writeHead(404).end();
    return;
  }
  const headers = { ...incoming.headers, host: incoming.headers.host };
  if (fault?.kind === "no-range") delete headers.range;
  const [hostname, port] = target.split(":");
  const forwarded = send({
    hostname,
    port,
    method: incoming.method,
    path: incoming.url,
    headers,
    agent: false,
  });
  forwarded.on("error", () => outgoing.destroy());
  if (fault?.kind === "break-upload") {
    let left = fault.afterBytes;
    for await (const chunk of incoming) {
      const piece = (chunk as Buffer).subarray(0, left);
      left -= piece.byteLength;
      // Wait until it is out, so that the registry gets these bytes before the end.
      await new Promise((resolve) => forwarded.write(piece, resolve));
      if (left <= 0) break;
    }
    forwarded.destroy();
    incoming.socket.resetAndDestroy();
    return;
  }
  incoming.pipe(forwarded);
  const [answer] = (await once(forwarded, "response")) as [IncomingMessage];
  if (fault?.kind === "lose-answer") {
    answer.resume();
    await once(answer, "end");
    incoming.socket.resetAndDestroy();
    return;
  }
  await pass(answer, outgoing, fault);
}

async function pass(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  const headers: Record<string, string | string[] | undefined> = { ...answer.headers };
  if (fault?.kind === "headers" || fault?.kind === "cut") Object.assign(headers, fault.set);
  if (fault?.kind === "location") headers["location"] = fault.change(answer.headers.location ?? "");
  if (fault?.kind === "tamper") {
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const body = fault.change(Buffer.concat(chunks));
    writeHead(outgoing, answer.statusCode ?? 200, { ...headers, "content-length": String(body.byteLength) });
    outgoing.end(body);
    return;
  }
  writeHead(outgoing, answer.statusCode ?? 200, headers);
  const isCut = fault?.kind === "cut" || fault?.kind === "stall";
  let left = isCut ? fault.afterBytes : Number.POSITIVE_INFINITY;
  outgoing.flushHeaders();
  for await (const chunk of answer) {
    const piece = chunk as Buffer;
    if (piece.byteLength >= left) {
      // Wait until it is out, so that the client has exactly these bytes before the end.
      await new Promise((resolve) => outgoing.write(piece.subarray(0, left), resolve));
      if (fault?.kind !== "stall") outgoing.socket?.destroySoon();
      return;
    }
    if (fault?.kind === "drip") {
      for (let at = 0; at < piece.byteLength && !outgoing.destroyed; at += fault.pieceBytes) {
        outgoing.write(piece.subarray(at, at + fault.pieceBytes));
        await setTimeout(fault.pauseMs);
      }
      continue;
    }
    left -= piece.byteLength;
    if (!outgoing.write(piece)) await drained(outgoing);
    if (outgoing.destroyed) return;
  }
  outgoing.end();
}

function writeHead(
  outgoing: ServerResponse,
  status: number,
  headers: Record<string, string | string[] | undefined>,
): void {
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) outgoing.setHeader(name, value);
  outgoing.writeHead(status);
}
