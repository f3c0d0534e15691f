import { StrakeError } from "../errors.ts";

export type RunnerErrorCode =
  /** runc, or one of the small programs it is started through, is not installed. */
  | "RUNTIME_MISSING"
  /** The container could not be set up, or the runtime broke. */
  | "RUNTIME_FAILED"
  /** argv[0] is not in the root file system; Docker's exit code for it is 127. */
  | "COMMAND_NOT_FOUND"
  /** argv[0] is there but can't be executed; Docker's exit code for it is 126. */
  | "COMMAND_NOT_EXECUTABLE"
  /** An ordinary user can't be given a user namespace with subordinate ids here; the hint is the cure. */
  | "USER_NAMESPACE_UNAVAILABLE";

/** A command of a build could not be run, as opposed to: it ran and failed. */
export class RunnerError extends StrakeError<RunnerErrorCode> {
  static override readonly name: string = "RunnerError";
}
