import { parseDockerfile } from "../../parser/index.ts";
import { describeDockerfile } from "../../parser/json/index.ts";
import type { CommandContext } from "../command.ts";
import { readDockerfile } from "../dockerfiles/read-dockerfile.ts";
import { printError } from "../errors/print-error.ts";
import { formatTree } from "./format-tree.ts";

/**
 * Parses files and prints what is in them.
 * @returns the exit code: 1 when a file was refused
 * @throws {CliError} INPUT_UNUSABLE for a file that can't be read
 */
export async function parseFiles(
  operands: readonly string[],
  isJson: boolean,
  context: CommandContext,
): Promise<number> {
  let code = 0;
  for (const operand of operands) {
    context.signal.throwIfAborted();
    const { name, bytes } = await readDockerfile(operand, context);
    const { json, error } = describeDockerfile(bytes, { filename: name });
    if (error !== undefined) code = 1;
    if (isJson) await context.stdout.writeBytes(Buffer.from(`${JSON.stringify(json)}\n`));
    else if (error === undefined) {
      await context.stdout.writeBytes(Buffer.from(formatTree(parseDockerfile(bytes, { filename: name }))));
    } else await printError(error, context);
  }
  return code;
}
