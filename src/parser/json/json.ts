export type JsonObject = { readonly [name: string]: unknown };

/** A copy that every JSON reader takes: U+FFFD for lone surrogates, which stand for bytes that are no UTF-8. */
export function wellFormed(value: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(value), (_key, item: unknown) =>
    typeof item === "string" ? item.replace(LONE_SURROGATE, "\ufffd") : item,
  ) as JsonObject;
}

/** Whether a text, or a text within a value, has bytes in it that are no UTF-8. */
export function isIllFormed(value: unknown): boolean {
  if (typeof value === "string") return LONE_SURROGATE_ONCE.test(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(isIllFormed);
}

const LONE_SURROGATE = /[\ud800-\udfff]/gu;
const LONE_SURROGATE_ONCE = /[\ud800-\udfff]/u;
