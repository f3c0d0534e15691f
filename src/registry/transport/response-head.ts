import type { Headers } from "./exchange.ts";

/** How a body ends. */
export type BodyFraming =
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until-close" };

/** The start of an HTTP/1 response. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Headers;
  readonly framing: BodyFraming;
  readonly keepAlive: boolean;
}

/**
 * Parses status line and headers, without the empty line behind them. Strict: what is not plainly HTTP/1 is refused
 * (undefined), because a wrong guess about where a body ends would mix up answers.
 * @see https://www.rfc-editor.org/rfc/rfc9112
 */
export function parseResponseHead(text: string): ResponseHead | undefined {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const status = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [^\r\n]*)?$/.exec(statusLine);
  if (status === null) return undefined;
  const all = new Map<string, string[]>();
  for (const line of lines) {
    const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\0]*)$/.exec(line);
    if (match === null) return undefined;
    const name = (match[1] ?? "").toLowerCase();
    const value = (match[2] ?? "").trimEnd();
    all.set(name, [...(all.get(name) ?? []), value]);
  }
  const lengths = new Set(all.get("content-length") ?? []);
  const [length] = lengths;
  if (lengths.size > 1 || (length !== undefined && !/^\d{1,15}$/.test(length))) return undefined;
  const code = Number(status[2]);
  const framing = framingOf(code, all.get("transfer-encoding"), length);
  if (framing === undefined) return undefined;
  const connection = (all.get("connection") ?? []).join(",").toLowerCase();
  return {
    status: code,
    headers: { one: (name) => all.get(name)?.[0], all: (name) => all.get(name) ?? [] },
    framing,
    keepAlive: status[1] === "1" && !connection.includes("close") && framing.kind !== "until-close",
  };
}

function framingOf(
  status: number,
  encodings: readonly string[] | undefined,
  length: string | undefined,
): BodyFraming | undefined {
  if (status < 200 || status === 204 || status === 304) return { kind: "length", bytes: 0 };
  if (encodings !== undefined) {
    // Both at once is how answers are smuggled past each other.
    return encodings.join(",").trim().toLowerCase() === "chunked" && length === undefined
      ? { kind: "chunked" }
      : undefined;
  }
  return length === undefined ? { kind: "until-close" } : { kind: "length", bytes: Number(length) };
}
