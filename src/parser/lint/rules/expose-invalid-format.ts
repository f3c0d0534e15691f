import type { SourceSpan } from "../../../util/span.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const exposeInvalidFormat = buildCheck(
  "ExposeInvalidFormat",
  "EXPOSE has ports only; addresses and host ports are for running a container",
  { page: "expose-invalid-format" },
);

/** @param host what stands in front of the container's port */
export function checkExposeFormat(port: string, host: string, range: SourceSpan, reporter: Reporter): void {
  if (host === "") return;
  reporter.report(exposeInvalidFormat, range, `EXPOSE takes no address or host port, as in '${port}'`);
}
