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
  /** The connection had served before and may have been closed by the server meanwhile; no byte of an answer came. */
  readonly onReusedConnection: boolean;

  constructor(fault: NetworkFault, message: string, details: { cause?: unknown; reused?: boolean } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "NetworkError";
    this.fault = fault;
    this.onReusedConnection = details.reused === true;
  }
}

/** Names the fault behind an error of Node's net, tls, http and dns, or of undici. */
export function toNetworkError(error: unknown, reused = false): NetworkError {
  if (error instanceof NetworkError) return error;
  const code = errorCode(error);
  const text = error instanceof Error ? error.message : String(error);
  return new NetworkError(classify(code), describe(code, text), { cause: error, reused });
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

function describe(code: string, text: string): string {
  switch (code) {
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
