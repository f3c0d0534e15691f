import type { SourceSpan } from "../../util/span.ts";
import type { BuildCheck } from "./build-check.ts";
import { type CheckOptions, withComments } from "./check-options.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** Takes what the rules find, and keeps what the options let through. */
export class Reporter {
  readonly diagnostics: Diagnostic[];
  readonly #options: CheckOptions;

  constructor(options: CheckOptions, diagnostics: Diagnostic[] = []) {
    this.#options = options;
    this.diagnostics = diagnostics;
  }

  /** A reporter to the same list, for an instruction with these comments above it. */
  forComments(comments: readonly string[]): Reporter {
    const options = withComments(this.#options, comments);
    return options === this.#options ? this : new Reporter(options, this.diagnostics);
  }

  report(rule: BuildCheck, range: SourceSpan, message: string): void {
    if (!this.#isWanted(rule)) return;
    const { name, description, url } = rule;
    this.diagnostics.push({ rule: name, message, description, url, range });
  }

  #isWanted({ name, isExperimental }: BuildCheck): boolean {
    const { skipAll, skip, experimentalAll, experimental } = this.#options;
    return isExperimental ? experimentalAll || experimental.has(name) : !skipAll && !skip.has(name);
  }
}
