import type { Clock } from "../clock.ts";
import type { NetworkError } from "./network-error.ts";

/** How often and how long one operation is tried. */
export interface RetryPolicy {
  /** Tries of one operation without progress, the first included. */
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** No try begins later than this after the first failure since the last progress. */
  readonly giveUpAfterMs: number;
  /** Also try again where nobody listens on a port of this machine, which else is final: somebody may be starting it. */
  readonly awaitsLoopback: boolean;
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
  giveUpAfterMs: 600_000,
  awaitsLoopback: false,
  maxRetryAfterMs: 60_000,
};

/**
 * Trying for as long as somebody wants to wait, however many tries that takes, and waiting as long as a registry asks
 * for within that time. With 0 each request is sent once.
 */
export function retryFor(durationMs: number): Partial<RetryPolicy> {
  if (durationMs <= 0) return { maxAttempts: 1 };
  return {
    maxAttempts: Number.POSITIVE_INFINITY,
    giveUpAfterMs: durationMs,
    awaitsLoopback: true,
    maxRetryAfterMs: Math.max(DEFAULT_RETRY_POLICY.maxRetryAfterMs, durationMs),
  };
}

/** For a host in whose place another can be asked: that is better than to wait long. */
export function impatient(policy: RetryPolicy): RetryPolicy {
  const { maxAttempts, giveUpAfterMs, maxRetryAfterMs } = DEFAULT_RETRY_POLICY;
  return {
    ...policy,
    maxAttempts: Math.min(policy.maxAttempts, maxAttempts),
    giveUpAfterMs: Math.min(policy.giveUpAfterMs, giveUpAfterMs),
    maxRetryAfterMs: Math.min(policy.maxRetryAfterMs, maxRetryAfterMs),
    awaitsLoopback: false,
  };
}

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

/** Counts the tries of one operation, and the time since they began to fail; progress starts both anew. */
export class RetryBudget {
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  #attempts = 0;
  #failingSinceMs: number | undefined;

  constructor(policy: RetryPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** Failed tries since the last progress. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Notes a failed try; returns how long to wait before the next, or undefined when there is to be none. */
  fail(retryAfterMs?: number): number | undefined {
    const { maxAttempts, giveUpAfterMs } = this.#policy;
    const nowMs = this.#clock.nowMs();
    this.#attempts++;
    this.#failingSinceMs ??= nowMs;
    if (this.#attempts >= maxAttempts) return undefined;
    const waitMs = Math.max(retryAfterMs ?? 0, backoffMs(this.#attempts, this.#policy, this.#clock.random()));
    return nowMs + waitMs - this.#failingSinceMs > giveUpAfterMs ? undefined : waitMs;
  }

  /** The operation got on: what fails from now on is counted from the start. */
  progress(): void {
    this.#attempts = 0;
    this.#failingSinceMs = undefined;
  }

  /** Time was spent on moving bytes, if in vain: it is not counted, the try is. */
  worked(): void {
    this.#failingSinceMs = undefined;
  }
}
