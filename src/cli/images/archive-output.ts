import { resolve } from "node:path";
import type { ByteOutput } from "../../store/transports/index.ts";
import type { CommandContext } from "../command.ts";
import { CliError } from "../error.ts";

/** Where an archive goes: a file that appears when it is complete, or standard output. */
export interface ArchiveOutput extends ByteOutput, AsyncDisposable {
  commit(): Promise<void>;
}

/** @throws {CliError} OUTPUT_REFUSED for a terminal @throws {TransportError} NOT_WRITABLE */
export async function openArchiveOutput(
  path: string | undefined,
  { stdout, cwd }: Pick<CommandContext, "stdout" | "cwd">,
): Promise<ArchiveOutput> {
  if (path !== undefined && path !== "-") {
    const { ArchiveFile } = await import("../../store/transports/index.ts");
    return await ArchiveFile.create(resolve(cwd, path), path);
  }
  if (stdout.isTTY) {
    throw new CliError("OUTPUT_REFUSED", "Cannot write an archive to a terminal", {
      hint: "Name a file with -o FILE, or pipe it into something",
    });
  }
  return {
    write: (chunk) => stdout.writeBytes(chunk),
    commit: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}
