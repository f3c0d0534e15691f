import { spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { fsPath } from "../../../sys/index.ts";
import { FilesError } from "../error.ts";

/** Memory that the program may take; `xz -9` makes archives that need 65 MiB. */
const MEMORY_LIMIT = "1GiB";
/** What is kept of its complaints. */
const MAX_MESSAGE_BYTES = 2000;

export interface DecompressXzOptions {
  /** As shown in messages. */
  readonly name: string;
  /** Folders to look for the program in, as PATH has them. */
  readonly searchPath: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decompresses a file with the machine's `xz` program.
 * @param hostPath bytes
 * @param target text; a file that is not there yet
 * @throws {FilesError} DECOMPRESSOR_MISSING, ARCHIVE_INVALID; the signal's reason
 */
export async function decompressXz(
  hostPath: string,
  target: string,
  { name, searchPath, signal }: DecompressXzOptions,
): Promise<void> {
  await using source = await open(fsPath(hostPath), "r");
  await using sink = await open(target, "wx", 0o600);
  const { exitCode, message } = await runXz(source, sink, searchPath, signal).catch((cause: unknown) => {
    signal?.throwIfAborted();
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new FilesError("DECOMPRESSOR_MISSING", `Cannot unpack "${name}": there is no xz program here`, {
      cause,
      hint: "Install xz-utils (apt-get install xz-utils), or leave --unpack out to copy the archive as it is",
    });
  });
  signal?.throwIfAborted();
  if (exitCode === 0) return;
  throw new FilesError(
    "ARCHIVE_INVALID",
    `Cannot unpack "${name}": ${message || `xz failed with ${exitCode}`}`,
    {
      hint: "Is the archive damaged? --unpack=false copies it as it is",
    },
  );
}

async function runXz(
  source: FileHandle,
  sink: FileHandle,
  searchPath: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly exitCode: number | null; readonly message: string }> {
  const child = spawn("xz", ["--decompress", "--stdout", `--memlimit-decompress=${MEMORY_LIMIT}`], {
    stdio: [source.fd, sink.fd, "pipe"],
    env: { PATH: searchPath, LC_ALL: "C" },
    ...(signal === undefined ? {} : { signal }),
  });
  let message = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    if (message.length < MAX_MESSAGE_BYTES) message += text;
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, message: message.trim() };
}
