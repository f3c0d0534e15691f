import { isObject } from "../util/is-object.ts";
import { type Digest, digestFault } from "./digest.ts";
import { OciError } from "./error.ts";

/** A JSON value with the place where it stands in its document, for messages: `layers[3].size`. */
export interface Located {
  readonly value: unknown;
  readonly path: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses a small JSON document and expects an object.
 * @throws {OciError} DOCUMENT_INVALID
 */
export function parseJsonObject(
  content: Uint8Array,
  { what, maxBytes }: { readonly what: string; readonly maxBytes: number },
): JsonObject {
  if (content.byteLength > maxBytes) {
    throw invalid(what, `it has ${content.byteLength} bytes, more than the ${maxBytes} allowed`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch (cause) {
    throw invalid(what, "it is not JSON", cause);
  }
  return asObject({ value, path: "" }, what);
}

/** A member, located. */
export function member(object: JsonObject, name: string, parent = ""): Located {
  return {
    value: Object.hasOwn(object, name) ? object[name] : undefined,
    path: parent === "" ? name : `${parent}.${name}`,
  };
}

/** Go programs write absent things as null; both are "not there" here. */
export function isAbsent({ value }: Located): boolean {
  return value === undefined || value === null;
}

export function asObject({ value, path }: Located, what: string): JsonObject {
  if (!isObject(value)) throw wrongType(what, path, "an object", value);
  return value;
}

export function asString({ value, path }: Located, what: string): string {
  if (typeof value !== "string") throw wrongType(what, path, "a string", value);
  return value;
}

export function asArray({ value, path }: Located, what: string, maxItems: number): readonly Located[] {
  if (!Array.isArray(value)) throw wrongType(what, path, "a list", value);
  if (value.length > maxItems) {
    throw invalid(what, `"${path}" has ${value.length} entries, more than the ${maxItems} allowed`);
  }
  return value.map((item: unknown, i) => ({ value: item, path: `${path}[${i}]` }));
}

export function asStrings(located: Located, what: string, maxItems = 100_000): readonly string[] {
  return asArray(located, what, maxItems).map((item) => asString(item, what));
}

/** An object whose members are all strings; null members are dropped. */
export function asStringMap(located: Located, what: string): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(asObject(located, what))) {
    if (value === null) continue;
    // Plain assignment would set the prototype for a member with that name.
    Object.defineProperty(out, name, {
      value: asString({ value, path: `${located.path}[${JSON.stringify(name)}]` }, what),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return out;
}

export function asSize({ value, path }: Located, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw wrongType(what, path, "a whole number, not negative", value);
  }
  return value;
}

export function asDigest(located: Located, what: string): Digest {
  const text = asString(located, what);
  const fault = digestFault(text);
  if (fault !== undefined) throw invalid(what, `"${located.path}" is no digest: ${fault}`);
  return text as Digest;
}

export function wrongType(what: string, path: string, wanted: string, value: unknown): OciError {
  const found =
    value === undefined
      ? "missing"
      : value === null
        ? "null"
        : Array.isArray(value)
          ? "a list"
          : typeof value;
  return invalid(what, `"${path === "" ? "the document" : path}" is ${found}, not ${wanted}`);
}

export function invalid(what: string, fault: string, cause?: unknown): OciError {
  return new OciError("DOCUMENT_INVALID", `Cannot read ${what}: ${fault}`, { cause });
}
