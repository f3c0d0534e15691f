import { RegistryError, type RegistryErrorCode, type RegistryErrorEntry } from "./error.ts";
import { decodeErrorBody, describeErrors, MAX_ERROR_BODY_BYTES } from "./error-body.ts";
import { cleanText, redactUrl } from "./redact.ts";
import { type Headers, readBodyStart } from "./transport/exchange.ts";
import type { NetworkError, NetworkFault } from "./transport/network-error.ts";
import { parseRetryAfter } from "./transport/retry.ts";
import type { Answer } from "./transport/sender.ts";

/** What was attempted, for messages. */
export interface Attempt {
  /** Completes "Cannot …": `pull manifest "a/b:1"`. */
  readonly what: string;
  readonly registry: string;
  readonly repository?: string | undefined;
  readonly method: string;
  readonly credentialOrigin?: string | undefined;
  /** The code for 404. */
  readonly missing?: RegistryErrorCode | undefined;
  readonly attempts?: number | undefined;
}

/** Turns an answer that is no success into an error, reading what its body says. */
export async function refusal(
  answer: Answer,
  attempt: Attempt,
  dateMs: number = Date.now(),
): Promise<RegistryError> {
  const { status, headers } = answer;
  const errors = decodeErrorBody(await readBodyStart(answer.body, MAX_ERROR_BODY_BYTES));
  const said = describeErrors(errors);
  const { what, registry } = attempt;
  return new RegistryError(
    codeOf(status, attempt),
    `Cannot ${what}: ${registry} answered ${status}${said === "" ? "" : ` (${said})`}`,
    {
      ...attempt,
      url: redactUrl(answer.url),
      status,
      errors,
      requestId: requestId(headers),
      hint: hintFor(answer, errors, attempt, dateMs),
    },
  );
}

/** Turns a missing answer into an error. */
export function unreachable(error: NetworkError, attempt: Attempt, url: URL): RegistryError {
  const { what, registry } = attempt;
  return new RegistryError(FAULT_CODES[error.fault], `Cannot ${what}: ${registry}: ${error.message}`, {
    ...attempt,
    url: redactUrl(url),
    cause: error,
    hint: faultHint(error.fault, registry),
  });
}

const FAULT_CODES: Readonly<Record<NetworkFault, RegistryErrorCode>> = {
  reset: "UNREACHABLE",
  refused: "UNREACHABLE",
  dns: "UNREACHABLE",
  timeout: "TIMED_OUT",
  certificate: "TLS_FAILED",
  tls: "TLS_FAILED",
  protocol: "BAD_RESPONSE",
  paused: "RATE_LIMITED",
  other: "BAD_RESPONSE",
};

function faultHint(fault: NetworkFault, registry: string): string | undefined {
  switch (fault) {
    case "certificate":
      return `If ${registry} has a certificate of your own authority, put that authority's certificate into /etc/containers/certs.d/${registry}/ca.crt`;
    case "tls":
      return "If it speaks plain http, it has to be named as an insecure registry";
    case "refused":
    case "dns":
      return `Check that the name ${registry} is right and that it can be reached from here`;
    default:
      return undefined;
  }
}

function codeOf(status: number, { missing }: Attempt): RegistryErrorCode {
  switch (status) {
    case 401:
      return "UNAUTHORIZED";
    case 403:
      return "DENIED";
    case 404:
      return missing ?? "NOT_FOUND";
    case 405:
    case 409:
    case 412:
      return "UNSUPPORTED";
    case 429:
      return "RATE_LIMITED";
    default:
      return status >= 500 ? "SERVER_FAILED" : "REFUSED";
  }
}

function hintFor(
  { status, headers }: Answer,
  errors: readonly RegistryErrorEntry[],
  { registry, credentialOrigin, method }: Attempt,
  dateMs: number,
): string | undefined {
  const isAnonymous = credentialOrigin === undefined || credentialOrigin === "anonymous";
  if (status === 401) {
    return isAnonymous
      ? `Log in to ${registry} first`
      : `The credentials from ${credentialOrigin} were refused; log in again`;
  }
  if (status === 403) {
    return isAnonymous
      ? `Log in to ${registry} first`
      : `The credentials from ${credentialOrigin} do not allow this`;
  }
  if (status === 429) return rateLimitHint(headers, dateMs);
  if (errors.some(({ code }) => code === "NAME_UNKNOWN" || code === "REPOSITORY_NOT_FOUND")) {
    return method === "GET" || method === "HEAD"
      ? "The repository does not exist, or is visible only to those logged in"
      : "Some registries want the repository to be created before the first push";
  }
  if (status === 405 && method === "DELETE") return "The registry does not allow deleting";
  if (status === 405) return "The registry does not take pushes: it may be a read-only cache";
  if (status === 409 || status === 412) return "The tag may be protected from being changed";
  if (errors.some(({ message }) => /HTTP request to an HTTPS server/i.test(message)))
    return "The registry speaks https";
  return undefined;
}

/** Docker Hub tells its limits in headers; they say more than its message. */
function rateLimitHint(headers: Headers, dateMs: number): string {
  const limit = /^(\d+)(?:;w=(\d+))?/.exec(headers.one("ratelimit-limit") ?? "");
  const source = headers.one("docker-ratelimit-source");
  const retryAfterMs = parseRetryAfter(headers.one("retry-after"), dateMs);
  const what =
    limit === null
      ? "The registry limits how much may be asked of it"
      : `The limit is ${limit[1]} pulls${limit[2] === undefined ? "" : ` in ${Math.round(Number(limit[2]) / 3600)} h`}` +
        `${source === undefined ? "" : ` for ${cleanText(source, 60)}`}`;
  const when =
    retryAfterMs === undefined ? "" : `; it wants to be asked again in ${Math.ceil(retryAfterMs / 1000)} s`;
  return `${what}${when}. Logging in or using a mirror may help`;
}

function requestId(headers: Headers): string | undefined {
  for (const name of [
    "x-request-id",
    "x-amzn-requestid",
    "x-github-request-id",
    "docker-distribution-request-id",
  ]) {
    const value = headers.one(name);
    if (value !== undefined) return cleanText(value, 100);
  }
  return undefined;
}
