import { classifyAddress } from "./net-address.ts";

export type RedirectDecision =
  | { readonly kind: "follow"; readonly url: URL; readonly method: string; readonly sameOrigin: boolean }
  | { readonly kind: "refuse"; readonly reason: string };

export const MAX_REDIRECTS = 10;

/**
 * What to do with a 3xx answer. Refuses to leave https, to go from a public host to an address of this machine or
 * its network, and to go round in circles. Credentials may go along only to the same origin.
 */
export function decideRedirect(answer: {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly location: string | undefined;
  /** `method url` of the requests so far, this one included. */
  readonly trail: readonly string[];
}): RedirectDecision {
  const { method, url, status, location, trail } = answer;
  if (location === undefined || location === "") return refuse("the redirect names no location");
  const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (target === undefined) return refuse("the redirect's location is no URL");
  const unsafe = unsafeTarget(url, target);
  if (unsafe !== undefined) return refuse(unsafe);
  const next = status === 303 && method !== "HEAD" ? "GET" : method;
  if (trail.length > MAX_REDIRECTS) return refuse(`more than ${MAX_REDIRECTS} redirects`);
  if (trail.includes(`${next} ${target.href}`)) return refuse("the redirects go round in circles");
  return { kind: "follow", url: target, method: next, sameOrigin: target.origin === url.origin };
}

/** Why a server must not send us from `from` to `to`; undefined when it may. Also for realms and upload locations. */
export function unsafeTarget(from: URL, to: URL): string | undefined {
  if (to.protocol !== "https:" && to.protocol !== "http:")
    return `it leads to ${to.protocol} instead of https:`;
  if (from.protocol === "https:" && to.protocol === "http:") return "it leads from https to plain http";
  if (to.username !== "" || to.password !== "") return "it leads to a URL with a user name or password";
  const toKind = classifyAddress(to.hostname);
  if (toKind !== "public" && to.hostname !== from.hostname && classifyAddress(from.hostname) === "public") {
    return `it leads from a public host to a ${toKind} address`;
  }
  return undefined;
}

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function refuse(reason: string): RedirectDecision {
  return { kind: "refuse", reason };
}
