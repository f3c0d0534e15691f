import type { RegistryErrorEntry } from "./error.ts";
import { cleanText } from "./redact.ts";

export const MAX_ERROR_BODY_BYTES = 64 * 1024;
const MAX_ENTRIES = 20;
const MAX_HTML_LENGTH = 4096;

/**
 * Reads the body of an error answer, whatever its form: the specification's `{errors: [{code, message, detail}]}`, one
 * error as an object, `{details}` or `{message}` (Docker Hub), `{error, error_description}` (token servers), or
 * text and HTML, of which the first line is taken.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
export function decodeErrorBody(content: Uint8Array): readonly RegistryErrorEntry[] {
  const text = Buffer.from(content.subarray(0, MAX_ERROR_BODY_BYTES)).toString("utf8").trim();
  if (text === "") return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fromText(text);
  }
  if (typeof value !== "object" || value === null) return fromText(text);
  const { errors, details, message, error, error_description } = value as Readonly<Record<string, unknown>>;
  if (Array.isArray(errors)) return errors.slice(0, MAX_ENTRIES).flatMap(entryFrom);
  if (typeof errors === "object" && errors !== null) return entryFrom(errors);
  if (typeof error === "string") {
    return [
      {
        code: cleanText(error, 60).toUpperCase(),
        message: shown(error_description) || shown(details) || shown(message),
      },
    ];
  }
  const found = shown(details) || shown(message);
  return found === "" ? [] : [{ code: "", message: found }];
}

function entryFrom(value: unknown): readonly RegistryErrorEntry[] {
  if (typeof value !== "object" || value === null) return typeof value === "string" ? fromText(value) : [];
  const { code, message, detail } = value as Readonly<Record<string, unknown>>;
  return [
    {
      code: typeof code === "string" ? cleanText(code, 60).toUpperCase() : "",
      message: shown(message) || shown(detail),
    },
  ];
}

function fromText(text: string): readonly RegistryErrorEntry[] {
  // The head of a page is enough; its title says what its body says at length.
  const plain = text.startsWith("<")
    ? text
        .slice(0, MAX_HTML_LENGTH)
        .replace(/<(script|style)[\s\S]*?<\/\1>/gi, " ")
        .replace(/<[^>]*>/g, " ")
    : text;
  const line = plain.split("\n").find((part) => part.trim() !== "") ?? "";
  const message = cleanText(line);
  return message === "" ? [] : [{ code: "", message }];
}

function shown(value: unknown): string {
  if (typeof value === "string") return cleanText(value);
  if (value === undefined || value === null || typeof value === "boolean" || typeof value === "number")
    return "";
  return cleanText(JSON.stringify(value));
}

/** `denied: requested access to the resource is denied; …`. Empty when there is nothing to say. */
export function describeErrors(errors: readonly RegistryErrorEntry[]): string {
  return errors
    .slice(0, 3)
    .map(({ code, message }) => (code === "" ? message : message === "" ? code : `${code}: ${message}`))
    .join("; ");
}
