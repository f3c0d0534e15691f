import { DockerfileError } from "../../src/parser/index.ts";

/** The result, or the only kind of error there may be. */
export function attempt<T>(work: () => T): T | DockerfileError {
  try {
    return work();
  } catch (error) {
    if (error instanceof DockerfileError) return error;
    throw error;
  }
}
