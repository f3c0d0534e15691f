import { type ErrorDetails, StrakeError } from "../errors.ts";

export type RegistryErrorCode =
  /** No connection: name unknown, refused, reset, no TLS. */
  | "UNREACHABLE"
  /** The server's certificate, or ours, was not accepted. */
  | "TLS_FAILED"
  /** It stopped answering, or was too slow to be useful. */
  | "TIMED_OUT"
  /** 401: no credentials, or refused ones. */
  | "UNAUTHORIZED"
  /** 403, or a token that does not carry what was asked for. */
  | "DENIED"
  | "MANIFEST_NOT_FOUND"
  | "BLOB_NOT_FOUND"
  /** The repository (or whatever was asked for) is not there. */
  | "NOT_FOUND"
  /** 429, and waiting would take too long. */
  | "RATE_LIMITED"
  /** The registry cannot or will not do that: 405, deletion disabled, read-only, an immutable tag. */
  | "UNSUPPORTED"
  /** Another 4xx. */
  | "REFUSED"
  /** 5xx after all retries. */
  | "SERVER_FAILED"
  /** An answer that the protocol does not allow, or that would be unsafe to follow. */
  | "BAD_RESPONSE"
  /** A credential file or helper could not be used. */
  | "CREDENTIALS_UNUSABLE"
  /** A certificate folder, mirror or proxy setting could not be used. */
  | "CONFIG_INVALID";

/** One entry of a registry's error body. */
export interface RegistryErrorEntry {
  readonly code: string;
  readonly message: string;
}

export interface RegistryErrorDetails extends ErrorDetails {
  readonly registry?: string | undefined;
  readonly repository?: string | undefined;
  readonly method?: string | undefined;
  /** Without user info and query. */
  readonly url?: string | undefined;
  readonly status?: number | undefined;
  readonly errors?: readonly RegistryErrorEntry[] | undefined;
  /** What the server calls this request in its own logs. */
  readonly requestId?: string | undefined;
  readonly attempts?: number | undefined;
  /** Where the credentials came from that were tried; "anonymous" when there were none. */
  readonly credentialOrigin?: string | undefined;
}

/** A registry could not be reached, refused, or answered what it must not. Carries no secret. */
export class RegistryError extends StrakeError<RegistryErrorCode> {
  static override readonly name: string = "RegistryError";
  readonly registry: string | undefined;
  readonly repository: string | undefined;
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly status: number | undefined;
  /** The registry's own codes and messages, bounded. */
  readonly errors: readonly RegistryErrorEntry[];
  readonly requestId: string | undefined;
  readonly attempts: number | undefined;
  readonly credentialOrigin: string | undefined;

  constructor(code: RegistryErrorCode, message: string, details: RegistryErrorDetails = {}) {
    super(code, message, details);
    this.registry = details.registry;
    this.repository = details.repository;
    this.method = details.method;
    this.url = details.url;
    this.status = details.status;
    this.errors = details.errors ?? [];
    this.requestId = details.requestId;
    this.attempts = details.attempts;
    this.credentialOrigin = details.credentialOrigin;
  }
}
