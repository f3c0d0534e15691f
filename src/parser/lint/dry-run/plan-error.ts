import type { SourceSpan } from "../../../util/span.ts";
import { DockerfileError, type DockerfileErrorCode } from "../../error.ts";

/** Why a build of this file would fail before anything is built. */
export function planError(
  code: DockerfileErrorCode,
  reason: string,
  at?: SourceSpan,
  hint?: string,
): DockerfileError {
  return new DockerfileError(code, reason, { at, hint });
}

/** Runs `work`, giving an error of it that has no place yet this one. */
export function located<T>(at: SourceSpan, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof DockerfileError && error.at === undefined ? error.located(at) : error;
  }
}
