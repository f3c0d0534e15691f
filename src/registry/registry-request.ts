import type { Scope } from "./auth/scope.ts";
import type { RegistryErrorCode } from "./error.ts";
import type { RequestBody } from "./transport/exchange.ts";
import type { RetryBudget } from "./transport/retry.ts";

/** What is asked of a registry, before it is known where that is and who asks. */
export interface RegistryRequest {
  /** Completes "Cannot …" in messages. */
  readonly what: string;
  readonly method: string;
  /** A path below `/v2/`, or a URL that the registry gave. */
  readonly target: string | URL;
  readonly repository?: string | undefined;
  readonly scopes: readonly Scope[];
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: (() => RequestBody) | undefined;
  readonly answerTimeoutMs?: number | undefined;
  /** Shared by the tries of a larger operation. */
  readonly budget?: RetryBudget | undefined;
  /** false: exactly one try (a new token apart), because the caller knows better how to go on. */
  readonly retries?: boolean | undefined;
  readonly missing?: RegistryErrorCode | undefined;
  readonly followRedirects?: boolean | undefined;
  /** The answer's body is a document of at most so many bytes: it is read at once, and its breaking is a failed try. */
  readonly documentBytes?: number | undefined;
  /** The body of the answer will be large. */
  readonly bulk?: boolean | undefined;
  /** Its chunks need not outlast the request for the next one. */
  readonly transient?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}
