import { type ErrorDetails, StrakeError } from "../errors.ts";

export type BuildErrorCode =
  /** The Dockerfile or the context is not there, or cannot be read. */
  | "INPUT_MISSING"
  | "DOCKERFILE_INVALID"
  | "UNKNOWN_STAGE"
  /** A stage is used before it is defined, or stages use each other in a circle. */
  | "STAGE_ORDER"
  | "BASE_IMAGE"
  | "SOURCE_MISSING"
  | "RUN_FAILED"
  | "SECRET_MISSING"
  /** A failed step can't be entered: what it takes is gone, or the image has no shell. */
  | "CANNOT_ENTER"
  | "DOWNLOAD_FAILED"
  | "NOT_ALLOWED"
  | "UNSUPPORTED"
  | "OUTPUT_FAILED";

/** A build that cannot go on. `at` names the instruction where one is to blame. */
export class BuildError extends StrakeError<BuildErrorCode> {
  static override readonly name: string = "BuildError";
}

/** A RUN whose command failed. */
export class RunFailedError extends BuildError {
  static override readonly name: string = "RunFailedError";
  /** 1 to 255. */
  readonly exitCode: number;
  /** The end of what the command wrote, standard output and error as they came. */
  readonly output: string;

  constructor(
    message: string,
    details: ErrorDetails & { readonly exitCode: number; readonly output: string },
  ) {
    super("RUN_FAILED", message, details);
    this.exitCode = details.exitCode;
    this.output = details.output;
  }
}
