import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Passes bytes through a codec stream. */
export async function* through(
  bytes: AsyncIterable<Uint8Array>,
  codec: Duplex,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feeding = pipeline(bytes, codec).catch(() => undefined); // reaches us through the codec
  try {
    for await (const chunk of codec) yield chunk as Uint8Array;
  } finally {
    codec.destroy();
    await feeding;
  }
}
