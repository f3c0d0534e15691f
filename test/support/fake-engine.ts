import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface FakeEngineOptions {
  /** `GET /info`; a Docker with its older image store when absent. */
  readonly info?: object;
  /** Answers `POST /images/load` after its body was read; says what was loaded when absent. */
  readonly onLoad?: (response: ServerResponse) => void;
  /** Answers at once, without reading the body. */
  readonly refusesUnread?: boolean;
}

/** The part of an engine's API that loading an image takes, on a unix socket. Disposing stops it. */
export interface FakeEngine extends AsyncDisposable {
  readonly socketPath: string;
  /** Archives that were loaded, in the order they came. */
  readonly loaded: readonly Uint8Array[];
}

export async function startFakeEngine(options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const folder = await mkdtemp(join(tmpdir(), "strake-engine-"));
  const socketPath = join(folder, "engine.sock");
  const loaded: Uint8Array[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === "/info") {
      response.end(
        JSON.stringify(options.info ?? { Driver: "overlay2", DriverStatus: [["Supports d_type", "true"]] }),
      );
      return;
    }
    if (request.method !== "POST" || request.url?.startsWith("/images/load") !== true) {
      response.writeHead(404).end(JSON.stringify({ message: "page not found" }));
      return;
    }
    if (options.refusesUnread === true) {
      response
        .writeHead(500, { connection: "close" })
        .end(JSON.stringify({ message: "no space left on device" }));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    loaded.push(Buffer.concat(chunks));
    if (options.onLoad !== undefined) options.onLoad(response);
    else response.end(`${JSON.stringify({ stream: "Loaded image: app:1\n" })}\n`);
  };
  const server = createServer(
    (request, response) => void handle(request, response).catch(() => response.destroy()),
  );
  server.listen(socketPath);
  await once(server, "listening");
  return {
    socketPath,
    loaded,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
