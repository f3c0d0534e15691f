import type { SourceSpan } from "../../util/span.ts";

/** What a build check found. */
export interface Diagnostic {
  /** The rule's name. */
  readonly rule: string;
  /** What is the matter here. */
  readonly message: string;
  /** What the rule is about. */
  readonly description: string;
  readonly url: string;
  /** The instruction's lines, from 1; of a continued or heredoc instruction all of them. */
  readonly range: SourceSpan;
}
