import type { Attempt } from "./attempt.ts";
import type { RegistryErrorEntry } from "./error.ts";
import { cleanText } from "./redact.ts";
import type { Headers } from "./transport/exchange.ts";
import { stripPort } from "./transport/net-address.ts";
import type { NetworkError } from "./transport/network-error.ts";
import { parseRetryAfter } from "./transport/retry.ts";
import type { Answer } from "./transport/sender.ts";

interface Refused {
  /** What the answer's body says. */
  readonly errors: readonly RegistryErrorEntry[];
  readonly attempt: Attempt;
  readonly dateMs: number;
  readonly requestId: string | undefined;
}

/** What whoever reads of an answer that is no success can do about it. */
export function answerHint(answer: Answer, refused: Refused): string | undefined {
  const { status, headers } = answer;
  const { errors, attempt, dateMs, requestId } = refused;
  const { registry, method } = attempt;
  const reads = method === "GET" || method === "HEAD";
  if ((status === 401 || status === 403) && attempt.sentTo !== undefined) {
    return (
      `${registry} sends to ${attempt.sentTo} for this, which refuses: no login of yours goes there. ` +
      "Try again, for such links expire; if it stays so, it is for whoever runs the registry to mend"
    );
  }
  if (status === 401 || status === 403) return rightsHint(answer, attempt);
  if (status === 429) return rateLimitHint(headers, dateMs);
  if (errors.some(({ code }) => code === "NAME_UNKNOWN" || code === "REPOSITORY_NOT_FOUND")) {
    return reads
      ? "The repository does not exist, or is visible only to those logged in"
      : "Some registries want the repository to be created before the first push";
  }
  if (status === 404 && isPage(headers)) return pageHint(registry);
  if (status === 405 && method === "DELETE") return "The registry does not allow deleting";
  if (status === 405) return "The registry does not take pushes: it may be a read-only cache";
  if (status === 409 || status === 412) return "The tag may be protected from being changed";
  if (status === 413) return "The registry, or a proxy before it, takes no requests of this size";
  if (errors.some(({ message }) => /HTTP request to an HTTPS server/i.test(message)))
    return "The registry speaks https";
  if (status < 500) return undefined;
  return requestId === undefined
    ? "The registry is in trouble: try again later"
    : `The registry is in trouble: try again later. Whoever runs it finds this request as ${requestId}`;
}

/** What to do where no answer came. @param host the one that did not answer, a registry or one that it named. */
export function faultHint(error: NetworkError, host: string, { registry }: Attempt): string | undefined {
  switch (error.fault) {
    case "certificate":
      return certificateHint(error, host, registry);
    case "tls":
      return (
        `If ${host} speaks plain http on purpose, name it as an insecure registry: ` +
        `STRAKE_INSECURE_REGISTRIES=${host}, or "insecure = true" in registries.conf`
      );
    case "refused":
    case "dns":
      if (error.proxy !== undefined)
        return `Check the proxy that HTTPS_PROXY or HTTP_PROXY names; NO_PROXY=${stripPort(host)} goes without it`;
      return `Check that the name ${host} is right and that it can be reached from here`;
    case "paused":
      return "Logging in or using a mirror may help";
    default:
      return undefined;
  }
}

function certificateHint({ reason, proxy }: NetworkError, host: string, registry: string): string {
  const folder = `/etc/containers/certs.d/${registry}`;
  switch (reason) {
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return `Whoever runs ${host} has to renew it, unless this machine's clock is wrong`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
    case "HOSTNAME_MISMATCH":
      return `Use one of the names that the certificate of ${host} has`;
    default:
      return /ALERT/.test(reason)
        ? `If ${host} wants to know its clients, put your certificate and its key into ${folder} as client.cert and client.key`
        : `If ${host} has a certificate of your own authority, put that authority's certificate into ${folder}/ca.crt` +
            (proxy === undefined ? "" : `; if it is the one of the proxy ${proxy}, name it in SSL_CERT_FILE`);
  }
}

/** For pages and lists that no registry would send. */
export function pageHint(registry: string): string {
  return `That is a page for people: check that ${registry} is a registry, and that no proxy answers in its place`;
}

export function isPage(headers: Headers): boolean {
  return /^text\/html\b/i.test(headers.one("content-type") ?? "");
}

function rightsHint(
  { status, headers }: Answer,
  { registry, repository, credentialOrigin }: Attempt,
): string {
  if (credentialOrigin === undefined || credentialOrigin === "anonymous")
    return `Log in first: strake login ${registry}`;
  // A token that does not reach so far, of a login that is right.
  const isShort = headers.all("www-authenticate").some((text) => text.includes("insufficient_scope"));
  if (status === 401 && !isShort)
    return `The credentials from ${credentialOrigin} were refused; log in again: strake login ${registry}`;
  const where = repository === undefined ? registry : `${registry}/${repository}`;
  return (
    `The credentials from ${credentialOrigin} do not allow this: ask for the right to ${where}, ` +
    `or log in as somebody else: strake login ${registry}`
  );
}

function showSeconds(seconds: number): string {
  if (seconds >= 3600) return `${Math.round(seconds / 3600)} h`;
  return seconds >= 60 ? `${Math.round(seconds / 60)} min` : `${seconds} s`;
}

/** Docker Hub tells its limits in headers; they say more than its message. */
function rateLimitHint(headers: Headers, dateMs: number): string {
  const limit = /^(\d+)(?:;w=(\d+))?/.exec(headers.one("ratelimit-limit") ?? "");
  const source = headers.one("docker-ratelimit-source");
  const retryAfterMs = parseRetryAfter(headers.one("retry-after"), dateMs);
  const what =
    limit === null
      ? "The registry limits how much may be asked of it"
      : `The limit is ${limit[1]} pulls${limit[2] === undefined ? "" : ` in ${showSeconds(Number(limit[2]))}`}` +
        `${source === undefined ? "" : ` for ${cleanText(source, 60)}`}`;
  const when =
    retryAfterMs === undefined ? "" : `; it wants to be asked again in ${Math.ceil(retryAfterMs / 1000)} s`;
  return `${what}${when}. Logging in or using a mirror may help`;
}
