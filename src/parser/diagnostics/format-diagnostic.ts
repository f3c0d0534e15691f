import type { SourceSpan } from "../../util/span.ts";
import { Source } from "../source.ts";
import { excerpt, visible } from "./excerpt.ts";

/** What can be shown: a DockerfileError, a lint Diagnostic, or any other error or warning that knows its place. */
export interface Reportable {
  readonly message: string;
  /** The name of the rule that says so. */
  readonly rule?: string | undefined;
  readonly at?: SourceSpan | undefined;
  /** Stands for `at` in a lint Diagnostic. */
  readonly range?: SourceSpan | undefined;
  /** The exact part that is meant; `at` if left out. */
  readonly focus?: SourceSpan | undefined;
  readonly hint?: string | undefined;
}

/**
 * A message for people, over several lines and without a final line ending: where, what, the source with the place marked,
 * and what to do.
 *
 *     Dockerfile:2:1: Dockerfile parse error on line 2: unknown instruction: RNU
 *       2 | RNU true
 *         | ^^^
 *     hint: Did you mean RUN?
 */
export function formatDiagnostic(problem: Reportable, content: Source | string | Uint8Array): string {
  const { rule, range, at = range, focus = at, hint } = problem;
  const message = `${rule === undefined ? "" : `${rule}: `}${visible(problem.message).replaceAll("\t", " ")}`;
  const lines: string[] = [];
  if (focus === undefined) {
    lines.push(message);
  } else {
    const source = content instanceof Source ? content : new Source(content, focus.file);
    lines.push(`${focus.file}:${focus.startLine}:${focus.startColumn}: ${message}`);
    lines.push(excerpt(source, focus, at?.startLine));
  }
  if (hint !== undefined) lines.push(`hint: ${visible(hint)}`);
  return lines.join("\n");
}
