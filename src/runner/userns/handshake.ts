import { Duplex, type Readable, type Writable } from "node:stream";

type Stdio = Readable | Writable | null | undefined;

/** The other end of a child's descriptor that was opened as "pipe", which Node makes a socket: both ways. */
function asDuplex(stream: Stdio): Duplex {
  if (stream instanceof Duplex) return stream;
  throw new TypeError("The descriptor was not opened as a pipe");
}

/** Resolves to true at the first byte, to false when the other side closes or dies before. */
export function nextByte(stream: Stdio): Promise<boolean> {
  const channel = asDuplex(stream);
  return new Promise((resolve) => {
    channel.once("data", () => resolve(true));
    channel.once("close", () => resolve(false));
    channel.once("error", () => resolve(false));
  });
}

/** Lets the other side go on and closes our end. */
export function release(stream: Stdio): void {
  asDuplex(stream).end("\n");
}

/** All that comes, as text; bounded, as it is for a message. */
export async function collectText(stream: Readable | null): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream ?? []) {
    if (size < MAX_TEXT_BYTES) chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return Buffer.concat(chunks).toString("utf8", 0, MAX_TEXT_BYTES);
}

const MAX_TEXT_BYTES = 4096;
