/** A `Content-Range: bytes 5-9/10` header; `total` is absent for `*`. Both ends inclusive. */
export interface ContentRange {
  readonly first: number;
  readonly last: number;
  readonly total?: number;
}

/** undefined when it is no range of bytes. @see https://www.rfc-editor.org/rfc/rfc9110#section-14.4 */
export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const match = /^\s*bytes\s+(\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)\s*$/i.exec(text ?? "");
  if (match === null) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2])];
  if (last < first) return undefined;
  if (match[3] === "*") return { first, last };
  const total = Number(match[3]);
  return last < total ? { first, last, total } : undefined;
}

/** The last byte that an upload session says it has: `Range: 0-9` (or `bytes=0-9`). undefined when it has none. */
export function parseUploadRange(text: string | undefined): number | undefined {
  const match = /^\s*(?:bytes[= ])?\s*0-(\d{1,15})\s*$/i.exec(text ?? "");
  return match === null ? undefined : Number(match[1]);
}
