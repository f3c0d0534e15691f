import type { Answer } from "./transport/sender.ts";

/** What Docker Hub's front writes into the body, whatever the form of that. */
const MARK = "HAP429";

/**
 * Why a 429 came, if it is Docker Hub's limit against abuse: that counts requests of any kind from one address, and has
 * nothing to do with the limit of pulls, which is told in JSON and in headers. Its answers are a line of text or a page; to HEAD
 * there is no body, so that what is missing from the headers has to do. Undefined for every other answer.
 * @param content the start of the answer's body
 */
export function abuseLimitHint(
  { status, headers, url }: Pick<Answer, "status" | "headers" | "url">,
  content: Uint8Array,
): string | undefined {
  if (status !== 429) return undefined;
  const isHub = /(^|\.)docker\.(io|com)$/.test(url.hostname);
  const isBare =
    !/\bjson\b/i.test(headers.one("content-type") ?? "") &&
    headers.one("ratelimit-limit") === undefined &&
    headers.one("retry-after") === undefined;
  if (!(isHub && isBare) && !Buffer.from(content).includes(MARK)) return undefined;
  return (
    "That is Docker Hub's limit against abuse, not the one of pulls: it counts all requests from one address. " +
    "It passes by itself after some minutes without requests. Where many share the address, log in (strake login) or use a mirror"
  );
}
