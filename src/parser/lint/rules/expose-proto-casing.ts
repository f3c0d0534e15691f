import type { SourceSpan } from "../../../util/span.ts";
import { toLowerSimple } from "../../text/case.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const exposeProtoCasing = buildCheck("ExposeProtoCasing", "The protocol in EXPOSE is lower case", {
  page: "expose-proto-casing",
});

export function checkProtocolCasing(
  port: string,
  protocol: string,
  range: SourceSpan,
  reporter: Reporter,
): void {
  if (protocol === toLowerSimple(protocol)) return;
  reporter.report(exposeProtoCasing, range, `The protocol of '${port}' should be lowercase`);
}
