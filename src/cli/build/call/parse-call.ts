import { parseAttributes, splitCsv } from "../../args/csv.ts";
import { usageError } from "../../error.ts";

/** What to do with a Dockerfile instead of building it. */
export interface Call {
  readonly method: "check" | "outline" | "targets";
  readonly format: "text" | "json";
}

/**
 * `--call check`, `--call outline,format=json`; `--check` is `--call check`.
 * @returns undefined for a build
 * @throws {CliError} USAGE
 */
export function parseCall(call: string | undefined, isCheck: boolean): Call | undefined {
  if (call !== undefined && isCheck && !/^(check|lint)\b/.test(call)) {
    throw usageError(`Cannot do both --check and --call ${call}`);
  }
  const text = call ?? (isCheck ? "check" : "build");
  const [name = "", ...rest] = splitCsv(text, "--call");
  let format: Call["format"] = "text";
  for (const { key, value } of rest.flatMap((field) => parseAttributes(field, "--call"))) {
    if (key !== "format" || (value !== "json" && value !== "text")) {
      throw usageError(
        `Unknown option "${key}=${value}" in --call "${text}"`,
        "Write --call check,format=json",
      );
    }
    format = value;
  }
  switch (name) {
    case "build":
      return undefined;
    case "check":
    case "lint":
      return { method: "check", format };
    case "outline":
    case "targets":
      return { method: name, format };
    default:
      throw usageError(`Unknown method "${name}" in --call`, "Methods are build, check, outline and targets");
  }
}
