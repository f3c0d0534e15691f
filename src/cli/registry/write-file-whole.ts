import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { StrakeError } from "../../errors.ts";
import { CliError } from "../error.ts";

/**
 * Writes a file that appears when it is complete, or not at all; a device or a pipe is written to as it is.
 * @throws {CliError} INPUT_UNUSABLE when the file can't be written; what `bytes` throws
 */
export async function writeFileWhole(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const isSpecial = path.startsWith("/dev/") || path.startsWith("/proc/");
  const target = isSpecial ? path : `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await pipeline(bytes, createWriteStream(target));
    if (!isSpecial) await rename(target, path);
  } catch (error) {
    if (!isSpecial) await rm(target, { force: true });
    if (error instanceof StrakeError || (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError("INPUT_UNUSABLE", `Cannot write "${path}": ${reasonOf(code) ?? message}`, {
      cause: error,
    });
  }
}

function reasonOf(code: string | undefined): string | undefined {
  switch (code) {
    case "ENOENT":
      return "its folder does not exist";
    case "EISDIR":
      return "it is a folder";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "it is not allowed";
    case "ENOSPC":
      return "the disk is full";
    default:
      return undefined;
  }
}
