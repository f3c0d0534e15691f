import type { NetworkError } from "./network-error.ts";

/** How often and how long one operation is tried. */
export interface RetryPolicy {
  /** Tries of one operation without progress, the first included. */
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** A registry that asks for a longer wait than this is reported instead of obeyed. */
  readonly maxRetryAfterMs: number;
}

/**
 * Ten tries: 0.25 s, 0.5 s … 8 s between them, half a minute in all, which is what a registry takes to start again. A
 * minute is what a person waits for a 429.
 */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 10,
  baseDelayMs: 250,
  maxDelayMs: 8_000,
  maxRetryAfterMs: 60_000,
};

/** 499 and 520 to 524 come from the fronts of CDNs. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([
  408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524,
]);

export function isRetriedStatus(status: number): boolean {
  return RETRIED_STATUSES.has(status);
}

/**
 * Whether a request that got no answer is worth repeating. Not where the answer would be the same: certificates, a port
 * of this machine that nobody listens on, a host name that does not exist (looked up once more, in case).
 */
export function isRetriedFault(
  error: NetworkError,
  { loopback, attempt }: { readonly loopback: boolean; readonly attempt: number },
): boolean {
  switch (error.fault) {
    case "reset":
    case "timeout":
    case "protocol":
      return true;
    case "refused":
      return !loopback;
    case "dns":
      return attempt < 2;
    case "certificate":
    case "tls":
    case "paused":
    case "other":
      return false;
    default:
      return error.fault satisfies never;
  }
}

/** Full jitter: anything from nothing to the doubled delay, so that clients that failed together come back apart. */
export function backoffMs(attempt: number, policy: RetryPolicy, random: number): number {
  return Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1)) * random;
}

/** Reads a Retry-After header: seconds or a date. undefined when there is none to read. */
export function parseRetryAfter(text: string | undefined, dateMs: number): number | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  if (/^\d+$/.test(trimmed)) return Math.min(Number(trimmed), 10 * 365 * 86_400) * 1000;
  if (!/^[A-Z][a-z]{2}[a-z]*,/.test(trimmed)) return undefined;
  const date = Date.parse(trimmed);
  return Number.isNaN(date) ? undefined : Math.max(0, date - dateMs);
}

/** Counts the tries of one operation; progress starts the count anew. */
export class RetryBudget {
  readonly #policy: RetryPolicy;
  #attempts = 0;

  constructor(policy: RetryPolicy) {
    this.#policy = policy;
  }

  /** Failed tries since the last progress. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Notes a failed try; returns how long to wait before the next, or undefined when there is to be none. */
  fail(random: number, retryAfterMs?: number): number | undefined {
    this.#attempts++;
    if (this.#attempts >= this.#policy.maxAttempts) return undefined;
    return Math.max(retryAfterMs ?? 0, backoffMs(this.#attempts, this.#policy, random));
  }

  progress(): void {
    this.#attempts = 0;
  }
}
