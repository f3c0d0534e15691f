import { type ErrorDetails, StrakeError } from "../errors.ts";
import type { SourceSpan } from "../util/span.ts";

/** Why a Dockerfile was refused. Stable: callers and tests match on these. */
export type DockerfileErrorCode =
  /** Not one instruction in the file. */
  | "NO_INSTRUCTIONS"
  /** A physical line of more than 65,535 bytes. */
  | "LINE_TOO_LONG"
  /** A `# name=value` parser directive with a bad value, or given twice. */
  | "BAD_DIRECTIVE"
  | "UNKNOWN_INSTRUCTION"
  /** An instruction before the first FROM that only makes sense in a stage. */
  | "NO_STAGE"
  /** A heredoc whose closing word never comes. */
  | "UNTERMINATED_HEREDOC"
  /** A heredoc where none can be (a COPY destination). */
  | "MISPLACED_HEREDOC"
  /** Exec form with something else than strings in it, or shell form where only exec form may be. */
  | "BAD_JSON_FORM"
  /** Too few, too many or misplaced arguments. */
  | "BAD_ARGUMENTS"
  /** `key=value` pairs that are none. */
  | "BAD_KEY_VALUE"
  | "UNKNOWN_FLAG"
  | "DUPLICATE_FLAG"
  | "BAD_FLAG_VALUE"
  | "BAD_STAGE_NAME"
  | "BAD_HEALTHCHECK"
  /** A RUN --mount or --device value. */
  | "BAD_MOUNT"
  | "BAD_ONBUILD"
  /** Variable expansion: an unbalanced quote or brace, an unknown modifier, a failed `${x:?…}`. */
  | "BAD_SUBSTITUTION"
  /** An ignore file's pattern that is no pattern. */
  | "BAD_IGNORE_PATTERN"
  /** The value of `# check=`. */
  | "BAD_CHECK_OPTION"
  /** `# check=error=true`, and there are warnings. */
  | "CHECK_VIOLATION";

export interface DockerfileErrorDetails extends ErrorDetails {
  /** The exact part of the source that is wrong; within `at`. */
  readonly focus?: SourceSpan | undefined;
}

/**
 * The one error this folder throws. `message` is a whole sentence for people, starting with where; `reason` is the part
 * after it, for those who show the place themselves. `at` is the whole instruction, `focus` the part of it that is wrong.
 */
export class DockerfileError extends StrakeError<DockerfileErrorCode> {
  /** Both fixed, because a bundler may rename the class; Node prints the class's name too where they differ. */
  static override readonly name: string = "DockerfileError";
  override readonly name: string = "DockerfileError";
  readonly reason: string;
  readonly focus: SourceSpan | undefined;

  constructor(code: DockerfileErrorCode, reason: string, details: DockerfileErrorDetails = {}) {
    super(code, withPlace(reason, details.at), details);
    this.reason = reason;
    this.focus = details.focus ?? details.at;
  }

  /** Another name of `at`, the one that lint's diagnostics use. */
  get range(): SourceSpan | undefined {
    return this.at;
  }

  /** The same error, seen at a place (word expansion does not know where its word came from). */
  located(at: SourceSpan, focus?: SourceSpan): DockerfileError {
    return new DockerfileError(this.code, this.reason, { at, focus, hint: this.hint, cause: this.cause });
  }
}

function withPlace(reason: string, at: SourceSpan | undefined): string {
  return at === undefined ? reason : `Dockerfile parse error on line ${at.startLine}: ${reason}`;
}
