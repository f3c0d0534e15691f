import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { digestBy, type MemoryRegistryOptions, refuse } from "./memory-registry-rules.ts";

export interface UploadTarget {
  readonly url: URL;
  readonly name: string;
  /** The session; "" for a new one. */
  readonly id: string;
  readonly blobs: Map<string, Buffer>;
}

/** The upload sessions of a registry in memory. */
export class MemoryUploads {
  readonly #options: MemoryRegistryOptions;
  readonly #sessions = new Map<string, Buffer>();

  constructor(options: MemoryRegistryOptions) {
    this.#options = options;
  }

  async serve(request: IncomingMessage, response: ServerResponse, target: UploadTarget): Promise<void> {
    const { url, name, blobs } = target;
    const { monolithicPost, minChunkBytes, sessionStatus, maxRequestBytes } = this.#options;
    if (request.method === "POST") {
      const digest = url.searchParams.get("digest");
      const id = randomUUID();
      this.#sessions.set(id, Buffer.of());
      const started = { ...target, id };
      if (digest !== null && monolithicPost === true) return await this.#finish(request, response, started);
      const least = minChunkBytes === undefined ? {} : { "oci-chunk-min-length": String(minChunkBytes) };
      const headers = { location: this.#location(request, started), range: "0-0", ...least };
      return void response.writeHead(202, headers).end();
    }
    const stored = this.#sessions.get(target.id);
    if (stored === undefined) return refuse(response, 404, "BLOB_UPLOAD_UNKNOWN");
    if (Number(request.headers["content-length"] ?? 0) > (maxRequestBytes ?? Number.POSITIVE_INFINITY))
      return void response.writeHead(413, { connection: "close" }).end();
    switch (request.method) {
      case "GET":
        if (sessionStatus === false) return refuse(response, 405, "UNSUPPORTED");
        return void response.writeHead(204, this.#stand(request, target, stored.byteLength)).end();
      case "DELETE":
        this.#sessions.delete(target.id);
        return void response.writeHead(204).end();
      case "PATCH":
        return await this.#piece(request, response, target, stored);
      case "PUT":
        return await this.#finish(request, response, { url, name, id: target.id, blobs });
      default:
        return refuse(response, 405, "UNSUPPORTED");
    }
  }

  async #piece(
    request: IncomingMessage,
    response: ServerResponse,
    target: UploadTarget,
    stored: Buffer,
  ): Promise<void> {
    const { chunkStatus = 202, chunkRange = "true", minChunkBytes = 0 } = this.#options;
    const first = /^(\d+)-/.exec(request.headers["content-range"] ?? "")?.[1];
    if (first !== undefined && Number(first) !== stored.byteLength)
      return void response.writeHead(416, this.#stand(request, target, stored.byteLength)).end();
    // Only the last piece may be smaller, and whether it is that shows when another comes.
    if (stored.byteLength % Math.max(1, minChunkBytes) !== 0)
      return refuse(response, 416, "BLOB_UPLOAD_INVALID");
    if (!(await this.#append(request, target.id, stored))) return void response.destroy();
    const now = this.#sessions.get(target.id)?.byteLength ?? 0;
    const { range, ...stand } = this.#stand(request, target, now);
    const told = chunkRange === "true" ? { range } : chunkRange === "stale" ? { range: "0-0" } : {};
    response.writeHead(chunkStatus, { ...stand, ...told }).end();
  }

  async #finish(request: IncomingMessage, response: ServerResponse, target: UploadTarget): Promise<void> {
    const { url, name, id, blobs } = target;
    const stored = this.#sessions.get(id) ?? Buffer.of();
    if (!(await this.#append(request, id, stored))) return void response.destroy();
    const bytes = this.#sessions.get(id) ?? Buffer.of();
    const digest = url.searchParams.get("digest") ?? "sha256:";
    if (digestBy(digest, bytes) !== digest) return refuse(response, 400, "DIGEST_INVALID");
    this.#sessions.delete(id);
    blobs.set(digest, bytes);
    const headers = { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest };
    response.writeHead(201, headers).end();
  }

  /** Takes a body into a session; false when it broke off. */
  async #append(request: IncomingMessage, id: string, stored: Buffer): Promise<boolean> {
    const chunks = [stored];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      if (this.#options.broken === "keep") this.#sessions.set(id, Buffer.concat(chunks));
      else this.#sessions.delete(id);
      return false;
    }
    this.#sessions.set(id, Buffer.concat(chunks));
    return true;
  }

  #stand(
    request: IncomingMessage,
    target: UploadTarget,
    bytes: number,
  ): { readonly location: string; readonly range: string } {
    return { location: this.#location(request, target), range: `0-${Math.max(0, bytes - 1)}` };
  }

  #location(request: IncomingMessage, { name, id }: UploadTarget): string {
    const path = `/v2/${name}/blobs/uploads/${id}?state=a%2Fb`;
    return this.#options.relative === true ? path : `http://${request.headers.host}${path}`;
  }
}
