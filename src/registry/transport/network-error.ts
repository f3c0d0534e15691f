import { cleanText } from "../redact.ts";

export type NetworkFault =
  /** The connection broke, or the server closed it too early. */
  | "reset"
  | "refused"
  | "dns"
  /** No answer, or nothing moved, for too long. */
  | "timeout"
  /** A certificate was not accepted: trying again will not help. */
  | "certificate"
  /** No TLS could be spoken at all, e.g. because the server speaks plain http. */
  | "tls"
  /** The server did not speak HTTP. */
  | "protocol"
  /** The host has asked for a pause that is too long to wait for; nothing was sent. */
  | "paused"
  | "other";

/** A request that got no (complete) answer. */
export class NetworkError extends Error {
  readonly fault: NetworkFault;
  /** Node's or OpenSSL's own name for it, "" where there is none. */
  readonly reason: string;
  /** The connection had served before and may have been closed by the server meanwhile; no byte of an answer came. */
  readonly onReusedConnection: boolean;

  /** The proxy that was asked; undefined where none was. */
  readonly proxy: string | undefined;

  constructor(
    fault: NetworkFault,
    message: string,
    details: { cause?: unknown; reused?: boolean; proxy?: string } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "NetworkError";
    this.fault = fault;
    this.reason = errorCode(details.cause);
    this.onReusedConnection = details.reused === true;
    this.proxy = details.proxy;
  }
}

/** Names the fault behind an error of Node's net, tls, http and dns, or of undici. */
export function toNetworkError(error: unknown, reused = false): NetworkError {
  if (error instanceof NetworkError) return error;
  const code = errorCode(error);
  const text = error instanceof Error ? error.message : String(error);
  return new NetworkError(classify(code), describe(code, text, error), { cause: error, reused });
}

function classify(code: string): NetworkFault {
  switch (code) {
    case "ECONNRESET":
    case "EPIPE":
    case "ECONNABORTED":
    case "ENETRESET":
    case "UND_ERR_SOCKET":
    case "ERR_STREAM_PREMATURE_CLOSE":
      return "reset";
    case "ECONNREFUSED":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
      return "refused";
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NODATA":
    case "ENODATA":
      return "dns";
    case "ETIMEDOUT":
    case "ERR_SOCKET_CONNECTION_TIMEOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
    case "UND_ERR_HEADERS_TIMEOUT":
    case "UND_ERR_BODY_TIMEOUT":
      return "timeout";
    case "EPROTO":
      return "tls";
    default:
      if (CERTIFICATE_CODES.has(code) || code.startsWith("CERT_") || code.startsWith("ERR_TLS_CERT"))
        return "certificate";
      if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") || code.startsWith("ERR_OSSL_"))
        return "tls";
      if (code.startsWith("HPE_") || code === "UND_ERR_RESPONSE") return "protocol";
      return "other";
  }
}

const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "INVALID_CA",
  "HOSTNAME_MISMATCH",
  "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE",
  "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE",
  "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
  "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
]);

function describe(code: string, text: string, error: unknown): string {
  switch (code) {
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return "its certificate is signed by an authority that is not trusted here";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "its certificate is signed only by itself, and not trusted here";
    case "CERT_HAS_EXPIRED":
      return "its certificate has expired";
    case "CERT_NOT_YET_VALID":
      return "its certificate is not valid yet";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
    case "HOSTNAME_MISMATCH":
      return `its certificate is for another name${certifiedNames(error)}`;
    case "EPROTO":
      return describeTls(text);
    case "ECONNREFUSED":
      return "the connection was refused";
    case "ECONNRESET":
    case "EPIPE":
    case "UND_ERR_SOCKET":
      return "the connection was closed too early";
    case "ENOTFOUND":
    case "EAI_NODATA":
    case "ENODATA":
      return "there is no host of that name";
    case "EAI_AGAIN":
      return "the host name could not be looked up";
    case "ETIMEDOUT":
    case "ERR_SOCKET_CONNECTION_TIMEOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
      return "the connection could not be made in time";
    default:
      return code === "" ? text : `${text} (${code})`;
  }
}

/** Node wraps the errors of several addresses of one name in an AggregateError; the first says enough. */
function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown; cause?: unknown };
  if (typeof code === "string" && code !== "") return code;
  if (Array.isArray(errors) && errors.length > 0) return errorCode(errors[0]);
  return cause === undefined ? "" : errorCode(cause);
}

/** ` (DNS:other.example)`, as the certificate has it. */
function certifiedNames(error: unknown): string {
  const { cert } = (error ?? {}) as { readonly cert?: { readonly subjectaltname?: unknown } };
  const names = cert?.subjectaltname;
  return typeof names === "string" && names !== "" ? ` (${cleanText(names, 200)})` : "";
}

/** OpenSSL's sentence has places in its own source; what matters is its fifth part. */
function describeTls(text: string): string {
  const said = /SSL routines:[^:]*:([^:]+):/.exec(text)?.[1] ?? "";
  if (/wrong version number|packet length too long|http request/i.test(said)) return "it does not speak TLS";
  return `TLS failed${said === "" ? "" : `: ${cleanText(said, 100)}`}`;
}
