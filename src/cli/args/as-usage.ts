import { StrakeError } from "../../errors.ts";
import { usageError } from "../error.ts";

/**
 * Runs a reader of some value that came from the command line: what it finds wrong makes the command line wrong.
 * @throws {CliError} USAGE
 */
export function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof StrakeError) throw usageError(error.message, error.hint);
    throw error;
  }
}
