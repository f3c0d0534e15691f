import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestBy, type MemoryRegistryOptions, refuse } from "./memory-registry-rules.ts";
import { MemoryUploads } from "./memory-registry-uploads.ts";

export interface MemoryRegistry extends AsyncDisposable {
  readonly host: string;
  /** `method path`, with the Content-Range or Range of the request if any. */
  readonly seen: string[];
}

interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

interface Repository {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, StoredManifest>;
  readonly tags: Map<string, string>;
}

/**
 * A registry in memory that can be any registry: what Debian's cannot do, and what others do differently. It follows the
 * specification's words; its test holds it against the real one where both can do the same.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
 */
export async function startMemoryRegistry(options: MemoryRegistryOptions = {}): Promise<MemoryRegistry> {
  const repositories = new Map<string, Repository>();
  const uploads = new MemoryUploads(options);
  const seen: string[] = [];

  const open = (name: string): Repository => {
    let found = repositories.get(name);
    if (found === undefined) {
      found = emptyRepository();
      repositories.set(name, found);
    }
    return found;
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://registry");
    const { method = "GET" } = request;
    const range = request.headers["content-range"] ?? request.headers.range;
    seen.push(`${method} ${url.pathname}${range === undefined ? "" : ` ${range}`}`);
    if (url.pathname === "/v2/") return void response.writeHead(200).end("{}");
    if (url.pathname === "/v2/_catalog") return page(response, url, "repositories", [...repositories.keys()]);
    const [, name = "", kind, rest = ""] =
      /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/(.*)$/.exec(url.pathname) ?? [];
    const lists = kind === "tags" || kind === "referrers";
    if (lists && !repositories.has(name)) return refuse(response, 404, "NAME_UNKNOWN");
    const reading = request.method === "GET" || request.method === "HEAD";
    const repository = reading ? (repositories.get(name) ?? emptyRepository()) : open(name);
    switch (kind) {
      case "blobs/uploads": {
        const from = url.searchParams.get("from");
        const mount = url.searchParams.get("mount");
        const blob = mount === null || from === null ? undefined : repositories.get(from)?.blobs.get(mount);
        if (mount !== null && options.mount === "refuse") return refuse(response, 400, "UNSUPPORTED");
        if (mount !== null && blob !== undefined && options.mount !== "session") {
          repository.blobs.set(mount, blob);
          return void response.writeHead(201, { location: `/v2/${name}/blobs/${mount}` }).end();
        }
        return await uploads.serve(request, response, { url, name, id: rest, blobs: repository.blobs });
      }
      case "blobs":
        return serveBlob(request, response, repository, rest);
      case "manifests":
        return await serveManifest(request, response, repository, rest);
      case "tags":
        return page(response, url, "tags", [...repository.tags.keys()].sort(), { name });
      case "referrers":
        return serveReferrers(response, url, repository, rest);
      default:
        return refuse(response, 404, "UNSUPPORTED");
    }
  }

  function serveBlob(
    request: IncomingMessage,
    response: ServerResponse,
    { blobs }: Repository,
    digest: string,
  ): void {
    const bytes = blobs.get(digest);
    if (bytes === undefined) return void refuse(response, 404, "BLOB_UNKNOWN");
    if (request.method === "DELETE") {
      blobs.delete(digest);
      return void response.writeHead(202).end();
    }
    const headers = { "docker-content-digest": digest, "content-type": "application/octet-stream" };
    const first = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? Number.NaN);
    if (Number.isNaN(first) || options.ranges === false) {
      response.writeHead(200, { ...headers, "content-length": bytes.byteLength });
      return void response.end(request.method === "HEAD" ? undefined : bytes);
    }
    const size = bytes.byteLength;
    if (first >= size) return void response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    response.writeHead(206, {
      ...headers,
      "content-range": `bytes ${first}-${size - 1}/${size}`,
      "content-length": size - first,
    });
    response.end(bytes.subarray(first));
  }

  async function serveManifest(
    request: IncomingMessage,
    response: ServerResponse,
    { manifests, tags, blobs }: Repository,
    name: string,
  ): Promise<void> {
    const bytes = request.method === "PUT" ? await readAll(request) : undefined;
    if (bytes !== undefined) await options.beforePut?.(name);
    const digest = name.includes(":") ? name : (tags.get(name) ?? "");
    if (bytes !== undefined) {
      const type = request.headers["content-type"] ?? "";
      if (options.refusesOci !== undefined && type.startsWith("application/vnd.oci."))
        return refuse(response, options.refusesOci, "MANIFEST_INVALID", `unsupported media type ${type}`);
      const own = digestBy(name.includes(":") ? name : "sha256:", bytes);
      const { "if-match": wanted } = request.headers;
      if (options.versions === true && wanted !== undefined && wanted !== `"${digest}"`)
        return void response.writeHead(412).end();
      if (name.includes(":") && name !== own) return refuse(response, 400, "DIGEST_INVALID");
      const { config, layers, subject } = JSON.parse(bytes.toString("utf8")) as ManifestShape;
      const missing = [...(config === undefined ? [] : [config]), ...(layers ?? [])].find(
        (entry) => !blobs.has(entry.digest),
      );
      if (missing !== undefined) return refuse(response, 404, "MANIFEST_BLOB_UNKNOWN");
      manifests.set(own, { bytes, mediaType: type });
      if (!name.includes(":")) tags.set(name, own);
      const noted =
        options.referrers === true && subject !== undefined ? { "oci-subject": subject.digest } : {};
      return void response.writeHead(201, { "docker-content-digest": own, ...noted }).end();
    }
    const found = manifests.get(digest);
    if (found === undefined) return refuse(response, 404, "MANIFEST_UNKNOWN");
    if (request.method === "DELETE") {
      if (digest !== name && options.deletesTags !== true) return refuse(response, 405, "UNSUPPORTED");
      if (digest === name) manifests.delete(digest);
      for (const [tag, target] of tags)
        if (digest === name ? target === digest : tag === name) tags.delete(tag);
      return void response.writeHead(202).end();
    }
    response.writeHead(200, {
      ...(options.versions === true ? { etag: `"${digest}"` } : {}),
      "docker-content-digest": digest,
      "content-type": found.mediaType,
      "content-length": found.bytes.byteLength,
    });
    response.end(request.method === "HEAD" ? undefined : found.bytes);
  }

  function serveReferrers(
    response: ServerResponse,
    url: URL,
    { manifests }: Repository,
    subject: string,
  ): void {
    if (options.referrers !== true)
      return void response.writeHead(404, { "content-type": "text/plain" }).end();
    const wanted = url.searchParams.get("artifactType");
    const entries = [...manifests].flatMap(([digest, { bytes, mediaType }]) => {
      const shape = JSON.parse(bytes.toString("utf8")) as ManifestShape;
      if (shape.subject?.digest !== subject) return [];
      const artifactType = shape.artifactType ?? shape.config?.mediaType;
      if (options.filters === true && wanted !== null && artifactType !== wanted) return [];
      return [{ mediaType, digest, size: bytes.byteLength, artifactType, annotations: shape.annotations }];
    });
    const filtered =
      options.filters === true && wanted !== null ? { "oci-filters-applied": "artifactType" } : {};
    const document = { schemaVersion: 2, mediaType: INDEX_TYPE };
    page(response, url, "manifests", entries, document, { "content-type": INDEX_TYPE, ...filtered });
  }

  function page(
    response: ServerResponse,
    url: URL,
    member: string,
    items: readonly unknown[],
    rest: object = {},
    headers: Readonly<Record<string, string>> = { "content-type": "application/json" },
  ): void {
    const from = Number(url.searchParams.get("from") ?? 0);
    const { pageSize = items.length } = options;
    const next = from + pageSize < items.length ? new URL(url) : undefined;
    next?.searchParams.set("from", String(from + pageSize));
    const link = next === undefined ? {} : { link: `<${next.pathname}${next.search}>; rel="next"` };
    response.writeHead(200, { ...headers, ...link });
    response.end(JSON.stringify({ ...rest, [member]: items.slice(from, from + pageSize) }));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function emptyRepository(): Repository {
  return { blobs: new Map(), manifests: new Map(), tags: new Map() };
}

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

interface ManifestShape {
  readonly config?: { readonly digest: string; readonly mediaType?: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly subject?: { readonly digest: string };
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
