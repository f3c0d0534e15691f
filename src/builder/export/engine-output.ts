import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { formatReference, parseReference, withDefaultTag } from "../../oci/index.ts";
import { BuildError } from "../error.ts";
import type { EngineAddress, EngineOutput } from "../types.ts";
import { dockerFiles } from "./archive-output.ts";
import type { BuiltImage } from "./image-documents.ts";
import { type ImageSet, putImageSet } from "./image-set.ts";
import { writeArchive } from "./oci-archive.ts";
import type { OutputContext } from "./output-context.ts";

/** Answers are a few lines; more of one is not read. */
const MAX_ANSWER_BYTES = 1 << 20;

/**
 * Hands a build's images to a Docker or Podman that runs on this machine, as `docker load` does.
 * @throws {BuildError} OUTPUT_FAILED with the engine's own words; UNSUPPORTED for several platforms where the engine
 * has no store for them
 * @see https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Image/operation/ImageLoad
 */
export async function loadIntoEngine(
  { engine, names }: EngineOutput,
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<ImageSet> {
  const { store, options, signal } = context;
  // Asked first: it says whether anybody listens before anything is compressed.
  const info = await readInfo(engine, signal);
  if (images.length > 1 && !keepsIndexes(info)) {
    throw new BuildError("UNSUPPORTED", `Cannot load several platforms into ${engine.shownAs}`, {
      hint: "Only a Docker with the containerd image store takes them; build one with --platform, or write -o type=oci,dest=FILE",
    });
  }
  const set = await putImageSet(images, context, { encoding: {}, lazy: false });
  const wanted = (names.length > 0 ? names : options.names).map((name) =>
    formatReference(withDefaultTag(parseReference(name))),
  );
  const upload = post(engine, "/images/load?quiet=1", signal);
  const files = dockerFiles(set, wanted);
  // An engine that answers before it has read everything has refused.
  const sending = writeArchive(files, store.blobs, { write: (chunk) => send(upload.request, chunk) }, signal);
  try {
    await Promise.race([sending, upload.answer]);
    upload.request.end();
    checkLoaded(engine, await upload.answer);
  } catch (cause) {
    upload.request.destroy();
    await sending.catch(() => undefined);
    signal.throwIfAborted();
    throw cause instanceof BuildError ? cause : unreachable(engine, cause);
  }
  return set;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function readInfo(
  engine: EngineAddress,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const { request: asking, answer } = post(engine, "/info", signal, "GET");
  asking.end();
  let received: Answer;
  try {
    received = await answer;
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachable(engine, cause);
  }
  try {
    const info: unknown = JSON.parse(received.text);
    return typeof info === "object" && info !== null ? { ...info } : {};
  } catch {
    return {};
  }
}

/** Docker's containerd image store has indexes; Docker's older stores and Podman take one image at a time. */
function keepsIndexes(info: Readonly<Record<string, unknown>>): boolean {
  return JSON.stringify(info["DriverStatus"] ?? null).includes("io.containerd.snapshotter");
}

function post(
  engine: EngineAddress,
  path: string,
  signal: AbortSignal,
  method = "POST",
): { readonly request: ClientRequest; readonly answer: Promise<Answer> } {
  const headers = {
    host: "localhost",
    ...(method === "POST" ? { "content-type": "application/x-tar" } : {}),
  };
  const sent = request({ ...engine.at, path, method, headers, signal });
  const answer = new Promise<Answer>((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => void readAnswer(response).then(resolve, reject));
  });
  answer.catch(() => undefined);
  return { request: sent, answer };
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") };
}

/** Waits until the engine takes more; settles also when the connection goes away, which the answer then tells. */
async function send(upload: ClientRequest, chunk: Uint8Array): Promise<void> {
  if (upload.destroyed) throw new Error("the connection was closed");
  if (upload.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      upload.off("drain", done).off("close", done);
      resolve();
    };
    upload.on("drain", done).on("close", done);
  });
}

/** A refusal is a status, or a line of JSON with an error among those that say what was loaded. */
function checkLoaded(engine: EngineAddress, { status, text }: Answer): void {
  const fault = faultIn(text);
  if (status < 300 && fault === undefined) return;
  throw new BuildError(
    "OUTPUT_FAILED",
    `Cannot load the image into ${engine.shownAs}: ${fault ?? `it answered ${status}`}`,
  );
}

function faultIn(text: string): string | undefined {
  for (const line of text.split("\n")) {
    try {
      const { error, message } = JSON.parse(line) as { error?: unknown; message?: unknown };
      if (typeof error === "string" && error !== "") return error;
      if (typeof message === "string" && message !== "") return message;
    } catch {
      // Not every line is JSON: progress in Podman's words.
    }
  }
  return undefined;
}

function unreachable(engine: EngineAddress, cause: unknown): BuildError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BuildError("OUTPUT_FAILED", `Cannot load the image into ${engine.shownAs}: ${reason}`, {
    hint: "Is it running, and may you use its socket?",
    cause,
  });
}
