/** Longer headers are left alone; a page's link is a few hundred bytes. */
const MAX_LINK_BYTES = 4096;

/**
 * The target of the first link with `rel=next` in Link headers, as written there; undefined when there is none.
 * Parameters may come in any order and case, with or without quotes.
 * @see https://www.rfc-editor.org/rfc/rfc8288#section-3
 */
export function parseNextLink(headers: readonly string[]): string | undefined {
  for (const header of headers) {
    if (header.length > MAX_LINK_BYTES) continue;
    for (const match of header.matchAll(
      /<([^>]*)>((?:\s*;\s*[^\s=;,]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*))?)*)/g,
    )) {
      const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]*))/i.exec(match[2] ?? "");
      const relations = (rel?.[1] ?? rel?.[2] ?? "").toLowerCase().split(/\s+/);
      if (relations.includes("next")) return match[1];
    }
  }
  return undefined;
}

/**
 * Where a link leads, on the host that sent it: another host in it is how the registry is called on the inside, and must
 * not get credentials. undefined for what is no URL.
 */
export function ownTarget(link: string, answeredBy: URL): URL | undefined {
  if (!URL.canParse(link, answeredBy.href)) return undefined;
  const url = new URL(link, answeredBy);
  const own = new URL(answeredBy.href);
  own.pathname = url.pathname;
  own.search = url.search;
  return own;
}
