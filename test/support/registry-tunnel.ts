import { once } from "node:events";
import { createServer, type RequestListener, request as send } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface Tunnel extends AsyncDisposable {
  readonly url: URL;
  /** `CONNECT host:port` and `GET http://…`, with the user and password that came along. */
  readonly seen: string[];
  /** Answers CONNECT and requests with this instead of serving them. */
  refuse: number | undefined;
}

/** A forward proxy: tunnels for https, whole URLs for plain http. With `tls` (PEM) it wants TLS itself. */
export async function startTunnel(tls?: { readonly cert: string; readonly key: string }): Promise<Tunnel> {
  const sockets = new Set<Socket>();
  const tunnel = { seen: [] as string[], refuse: undefined as number | undefined };
  const who = (header: string | undefined): string =>
    header === undefined ? "" : ` as ${Buffer.from(header.replace("Basic ", ""), "base64").toString()}`;
  const serve: RequestListener = (incoming, outgoing) => {
    tunnel.seen.push(`${incoming.method} ${incoming.url}${who(incoming.headers["proxy-authorization"])}`);
    if (tunnel.refuse !== undefined) {
      outgoing.writeHead(tunnel.refuse).end();
      return;
    }
    const { "proxy-authorization": _own, ...headers } = incoming.headers;
    const forwarded = send(
      incoming.url ?? "",
      { method: incoming.method, headers, agent: false },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  };
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.on("connect", (incoming, socket: Socket, head) => {
    tunnel.seen.push(`CONNECT ${incoming.url}${who(incoming.headers["proxy-authorization"])}`);
    socket.on("error", () => {});
    if (tunnel.refuse !== undefined) {
      socket.end(`HTTP/1.1 ${tunnel.refuse} No\r\n\r\n`);
      return;
    }
    const [host, port] = (incoming.url ?? "").split(":");
    const target = connect(Number(port), host);
    sockets.add(target);
    target.on("error", () => socket.destroy());
    target.on("connect", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      target.write(head);
      socket.pipe(target).pipe(socket);
    });
    socket.on("close", () => target.destroy());
  });
  server.on("connection", (socket) => void sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return Object.assign(tunnel, {
    url: new URL(`${tls === undefined ? "http" : "https"}://user:s3cret@127.0.0.1:${port}`),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  });
}
