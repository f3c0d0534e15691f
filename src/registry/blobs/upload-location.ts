import { unsafeTarget } from "../transport/redirect.ts";

/**
 * Where an upload session goes on: the Location header resolved against the URL that answered. Tolerates what
 * registries behind proxies send: no scheme, plain http for the same host, a default port written out.
 * Returns the reason when the location must not be used.
 */
export function resolveUploadLocation(
  location: string | undefined,
  answeredBy: URL,
): URL | { readonly fault: string } {
  if (location === undefined || location === "") return { fault: "it named no location for the upload" };
  const text = hostWithoutScheme(location, answeredBy) ?? location;
  if (!URL.canParse(text, answeredBy.href)) return { fault: "the upload's location is no URL" };
  const url = new URL(text, answeredBy);
  if (url.protocol === "http:" && answeredBy.protocol === "https:" && url.hostname === answeredBy.hostname) {
    // TLS ends at a proxy in front, of which the registry knows nothing.
    url.protocol = "https:";
    url.port = answeredBy.port;
  }
  const unsafe = unsafeTarget(answeredBy, url);
  return unsafe === undefined ? url : { fault: `the upload's location is not safe to use: ${unsafe}` };
}

/** The URL that finishes an upload. The registry's own query stays as it is: it may be signed. */
export function finishUrl(location: URL, digest: string): URL {
  const url = new URL(location);
  const joint = url.search === "" ? "?" : "&";
  url.search = `${url.search}${joint}digest=${encodeURIComponent(digest)}`;
  return url;
}

/** `registry.example.com/v2/…` as some registries write it: resolved as it stands it would be a path. */
function hostWithoutScheme(location: string, { host, protocol }: URL): string | undefined {
  return location.startsWith(`${host}/`) ? `${protocol}//${location}` : undefined;
}
