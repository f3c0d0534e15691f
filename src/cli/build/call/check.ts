import type { Diagnostic, DockerfileError } from "../../../parser/index.ts";
import { sourceExcerpt } from "../../errors/source-excerpt.ts";
import type { Paint } from "../../paint.ts";
import { sanitize } from "../../text.ts";

/** What a check found, as BuildKit prints it: each with its lines. */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  { text, paint }: { readonly text: string; readonly paint: Paint },
): string {
  const found = diagnostics.map(({ rule, url, message, range }) =>
    [
      `${paint.yellow(`WARNING: ${rule}`)} - ${url}\n`,
      `${sanitize(message)}\n`,
      `${sanitize(range.file)}:${range.startLine}\n`,
      sourceExcerpt(text, range, paint.yellow),
      "\n",
    ].join(""),
  );
  return found.join("");
}

/** The line that ends a check. */
export function formatTotal({ length }: readonly Diagnostic[]): string {
  if (length === 0) return "Check complete, no warnings found.\n";
  return `Check complete, ${length === 1 ? "1 warning has" : `${length} warnings have`} been found!\n`;
}

/** The members that BuildKit gives a check in JSON. Lines count from 1, characters are not told. */
export function diagnosticsToJson(
  diagnostics: readonly Diagnostic[],
  error: DockerfileError | undefined,
): Readonly<Record<string, unknown>> {
  const location = (range: Diagnostic["range"]) => ({
    ranges: [{ start: { line: range.startLine }, end: { line: range.endLine } }],
    file: range.file,
  });
  return {
    warnings: diagnostics.map(({ rule, description, url, message, range }) => ({
      ruleName: rule,
      description,
      url,
      detail: message,
      location: location(range),
    })),
    ...(error === undefined
      ? {}
      : {
          buildError: {
            message: error.message,
            ...(error.at === undefined ? {} : { location: location(error.at) }),
          },
        }),
  };
}
