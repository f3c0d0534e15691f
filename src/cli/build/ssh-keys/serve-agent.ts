import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { AgentKey } from "./private-key.ts";
import { string, uint32, WireReader } from "./wire.ts";

// Numbers of messages. @see https://datatracker.ietf.org/doc/html/draft-miller-ssh-agent#section-5.1
const FAILURE = 5;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;

/** No request that is meant is longer: OpenSSH's own bound. */
const MAX_MESSAGE_BYTES = 256 * 1024;

/**
 * Answers on a socket as ssh-agent does: tells the public keys, and signs. Nothing can be added, removed or taken out.
 * It does not keep the process alive.
 */
export async function serveAgent(
  socketPath: string,
  keys: readonly { readonly key: AgentKey; readonly comment: string }[],
): Promise<void> {
  const server = createServer((socket) => {
    socket.unref();
    answerAll(socket, (message) => answer(message, keys));
  });
  server.unref();
  server.listen(socketPath);
  await once(server, "listening");
}

function answerAll(socket: Socket, reply: (message: Buffer) => Buffer): void {
  let pending = Buffer.alloc(0);
  // A client that goes away ends its own conversation only.
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4) {
      const length = pending.readUInt32BE(0);
      if (length === 0 || length > MAX_MESSAGE_BYTES) return void socket.destroy();
      if (pending.length < 4 + length) return;
      socket.write(string(reply(pending.subarray(4, 4 + length))));
      pending = pending.subarray(4 + length);
    }
  });
}

function answer(
  message: Buffer,
  keys: readonly { readonly key: AgentKey; readonly comment: string }[],
): Buffer {
  try {
    if (message[0] === REQUEST_IDENTITIES) {
      const identities = keys.flatMap(({ key, comment }) => [string(key.publicKey), string(comment)]);
      return Buffer.concat([Buffer.of(IDENTITIES_ANSWER), uint32(keys.length), ...identities]);
    }
    if (message[0] === SIGN_REQUEST) {
      const reader = new WireReader(message.subarray(1));
      const wanted = reader.string();
      const data = reader.string();
      const flags = reader.uint32();
      const found = keys.find(({ key }) => key.publicKey.equals(wanted));
      if (found !== undefined)
        return Buffer.concat([Buffer.of(SIGN_RESPONSE), string(found.key.sign(data, flags))]);
    }
  } catch {
    // A request that cannot be read gets the answer of one that is not granted.
  }
  return Buffer.of(FAILURE);
}
