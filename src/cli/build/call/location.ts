export type Located = Readonly<Record<string, unknown>>;

/** Where something stands, as buildx has it in JSON: lines from 1. */
export function locate({ line, endLine }: { readonly line: number; readonly endLine: number }): Located {
  return { location: { ranges: [{ start: { line }, end: { line: endLine } }] } };
}
