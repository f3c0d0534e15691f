import { StrakeError } from "../errors.ts";

export type CliErrorCode =
  /** The command line is wrong: exit code 2. */
  | "USAGE"
  /** A flag is understood, but what it asks for can't be done by this version. */
  | "UNSUPPORTED"
  /** A file, folder or stream that the command line names can't be used. */
  | "INPUT_UNUSABLE"
  /** A name is not in the store. */
  | "IMAGE_NOT_FOUND"
  /** An image ID that has several names is to be removed. */
  | "IMAGE_IN_USE"
  | "CACHE_RECORD_NOT_FOUND"
  /** A build, or a step of one, is not among those that are remembered. */
  | "BUILD_NOT_FOUND"
  /** A registry does not take the user name and password that were given. */
  | "LOGIN_REFUSED"
  /** The result would have gone where it must not: binary data to a terminal. */
  | "OUTPUT_REFUSED"
  /** Standard output took no more: its disk is full, say. */
  | "OUTPUT_FAILED";

/** What the command line itself can't accept or find. */
export class CliError extends StrakeError<CliErrorCode> {
  static override readonly name: string = "CliError";
}

/** A wrong command line. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError("USAGE", message, { hint });
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGPIPE: 13, SIGTERM: 15 } as const;

/** Why a command was stopped from outside; the reason of its abort signal. */
export class Interruption extends Error {
  readonly signalName: keyof typeof SIGNAL_NUMBERS;
  /** What a shell reports of a process that a signal ended: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(signalName: keyof typeof SIGNAL_NUMBERS) {
    super(`Stopped by ${signalName}`);
    this.name = "Interruption";
    this.signalName = signalName;
    this.exitCode = 128 + SIGNAL_NUMBERS[signalName];
  }
}

/**
 * Why a command stops when standard output takes no more. That its reader went away (a pipe, a terminal that was
 * closed) is for a program what SIGPIPE is, and nothing to talk about; anything else means that the result is not whole.
 */
export function outputFault(error: NodeJS.ErrnoException): Interruption | CliError {
  if (error.code === "EPIPE" || error.code === "EIO") return new Interruption("SIGPIPE");
  return new CliError("OUTPUT_FAILED", "Cannot write to standard output: not all of the result is there", {
    cause: error,
  });
}
