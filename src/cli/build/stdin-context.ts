import { ARCHIVE_HEAD_BYTES, looksLikeArchive } from "../../builder/sources/looks-like-archive.ts";
import { CliError } from "../error.ts";

/** A Dockerfile is text; one larger than this is something else. */
const MAX_DOCKERFILE_BYTES = 16 << 20;

export type StdinContext =
  | { readonly kind: "tar"; readonly open: () => AsyncIterable<Uint8Array> }
  | { readonly kind: "dockerfile"; readonly text: Uint8Array };

/**
 * What comes on standard input for the context `-`: an archive, or the Dockerfile of a build without files. Reads
 * no more than it takes to tell; an archive's stream may be opened once.
 * @throws {CliError} INPUT_UNUSABLE when nothing comes, or too much for a Dockerfile
 */
export async function readStdinContext(stdin: AsyncIterable<Uint8Array>): Promise<StdinContext> {
  const iterator = stdin[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let size = 0;
  while (size < ARCHIVE_HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    head.push(next.value);
    size += next.value.length;
  }
  const start = Buffer.concat(head);
  if (start.length === 0) {
    throw new CliError("INPUT_UNUSABLE", "Cannot read the context from standard input: nothing came");
  }
  const rest = { [Symbol.asyncIterator]: () => iterator };
  if (looksLikeArchive(start)) return { kind: "tar", open: () => joined(start, rest) };
  return { kind: "dockerfile", text: await readDockerfile(joined(start, rest)) };
}

/** All of a Dockerfile's stream. @throws {CliError} INPUT_UNUSABLE when it is too large to be one */
export async function readDockerfile(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_DOCKERFILE_BYTES) {
      throw new CliError(
        "INPUT_UNUSABLE",
        `Cannot read a Dockerfile of more than ${MAX_DOCKERFILE_BYTES >> 20} MiB`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An archive without entries: the context of a build that has only a Dockerfile. */
export async function* emptyArchive(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1024);
}

async function* joined(start: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield start;
  yield* rest;
}
