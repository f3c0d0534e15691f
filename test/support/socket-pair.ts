import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Two ends of a connection over loopback, and the number of the first one's file descriptor. */
export async function connectPair(): Promise<{ near: Socket; far: Socket; fd: number; end: () => void }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const near = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [[far]] = (await Promise.all([once(server, "connection"), once(near, "connect")])) as [
    [Socket],
    unknown,
  ];
  return {
    near,
    far,
    fd: numberOf(near),
    end() {
      near.destroy();
      far.destroy();
      server.close();
    },
  };
}

/** A socket's file descriptor. */
export function numberOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}
