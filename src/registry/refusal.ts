import { abuseLimitHint } from "./abuse-limit.ts";
import type { Attempt } from "./attempt.ts";
import { RegistryError, type RegistryErrorCode } from "./error.ts";
import { decodeErrorBody, describeErrors, MAX_ERROR_BODY_BYTES } from "./error-body.ts";
import { answerHint, faultHint } from "./hints.ts";
import { cleanText, redactUrl } from "./redact.ts";
import { type Headers, readBodyStart } from "./transport/exchange.ts";
import { NetworkError, type NetworkFault } from "./transport/network-error.ts";
import type { Answer } from "./transport/sender.ts";

/** Turns an answer that is no success into an error, reading what its body says. */
export async function refusal(
  answer: Answer,
  attempt: Attempt,
  dateMs: number = Date.now(),
): Promise<RegistryError> {
  const { status, headers } = answer;
  const content = await readBodyStart(answer.body, MAX_ERROR_BODY_BYTES);
  const errors = decodeErrorBody(content);
  const said = describeErrors(errors);
  const { what, registry } = attempt;
  return new RegistryError(
    codeOf(status, attempt),
    `Cannot ${what}: ${attempt.sentTo ?? attempt.askedAt ?? registry} answered ${status}${said === "" ? "" : ` (${said})`}${times(answer.tries)}`,
    {
      ...attempt,
      url: redactUrl(answer.url),
      status,
      attempts: answer.tries,
      errors,
      requestId: requestId(headers),
      hint:
        abuseLimitHint(answer, content) ??
        answerHint(answer, { errors, attempt, dateMs, requestId: requestId(headers) }),
    },
  );
}

/** What `action` gives; where it got no answer, an error that says so. @throws {RegistryError} */
export async function orUnreachable<T>(attempt: Attempt, url: URL, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof NetworkError) throw unreachable(error, attempt, url);
    throw error;
  }
}

/** Turns a missing answer into an error. */
function unreachable(error: NetworkError, attempt: Attempt, url: URL): RegistryError {
  // What does not answer may be another host than the registry: its token server, its storage.
  return new RegistryError(
    FAULT_CODES[error.fault],
    `Cannot ${attempt.what}: ${url.host}: ${error.message}${times(attempt.attempts)}`,
    {
      ...attempt,
      url: redactUrl(url),
      cause: error,
      hint: faultHint(error, url.host, attempt),
    },
  );
}

function times(tries: number | undefined): string {
  return tries === undefined || tries < 2 ? "" : `, ${tries} times`;
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
