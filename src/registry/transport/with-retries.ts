import { type Clock, sleep } from "../clock.ts";
import type { OnRegistryEvent } from "../events.ts";
import type { HostGate } from "./host-gate.ts";
import { NetworkError } from "./network-error.ts";
import {
  isRetriedFault,
  isRetriedStatus,
  parseRetryAfter,
  type RetryBudget,
  type RetryPolicy,
} from "./retry.ts";
import type { Answer } from "./sender.ts";

/** Connections that went stale while idle are replaced without counting, as many as can be idle. */
const MAX_STALE_CONNECTIONS = 8;
/** First pause after a 429 that does not say how long. */
const RATE_LIMIT_DELAY_MS = 2000;
const MAX_RATE_LIMIT_DELAY_MS = 30_000;

export interface RetryContext {
  readonly clock: Clock;
  readonly policy: RetryPolicy;
  readonly gate: HostGate;
  readonly onEvent: OnRegistryEvent | undefined;
  readonly registry: string;
  readonly loopback: boolean;
}

/**
 * Repeats `attempt` until it has an answer that is not worth repeating, or the budget is spent. Then the last answer
 * or error comes out as it is.
 */
export async function withRetries(
  attempt: () => Promise<Answer>,
  context: RetryContext,
  operation: {
    readonly request: string;
    readonly budget: RetryBudget;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Answer> {
  const { clock, policy, gate, onEvent, registry, loopback } = context;
  const { request, budget, signal } = operation;
  let stale = 0;
  const pause = async (waitMs: number, reason: string): Promise<void> => {
    onEvent?.({ kind: "retried", registry, request, attempt: budget.attempts, waitMs, reason });
    await sleep(clock, waitMs, signal);
  };
  for (;;) {
    await gate.pass(signal);
    let answer: Answer;
    try {
      answer = await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof NetworkError)) throw error;
      if (error.onReusedConnection && error.fault === "reset" && stale++ < MAX_STALE_CONNECTIONS) continue;
      if (!isRetriedFault(error, { loopback, attempt: budget.attempts + 1 })) throw error;
      const waitMs = budget.fail();
      if (waitMs === undefined) throw error;
      await pause(waitMs, error.message);
      continue;
    }
    const { status } = answer;
    if (!isRetriedStatus(status)) return answer;
    const asked = closeGate(answer, context);
    if (asked !== undefined && asked > policy.maxRetryAfterMs) return answer;
    const least = asked ?? (status === 429 ? rateLimitDelayMs(budget.attempts) : 0);
    const waitMs = budget.fail(least);
    if (waitMs === undefined) return answer;
    answer.body.discard();
    if (status === 429 || asked !== undefined) {
      const total = gate.close(waitMs);
      onEvent?.({ kind: "waiting", registry, waitMs: total, reason: `it answered ${status}` });
    }
    await pause(waitMs, `it answered ${status}`);
  }
}

/** Longer than after other failures: whoever limits requests counts those that come too early as well. */
function rateLimitDelayMs(attempts: number): number {
  return Math.min(MAX_RATE_LIMIT_DELAY_MS, RATE_LIMIT_DELAY_MS * 2 ** attempts);
}

/** Holds the host's other requests back where an answer asks for a pause; returns how long it asked for. */
export function closeGate(
  answer: Answer,
  { clock, gate }: Pick<RetryContext, "clock" | "gate">,
): number | undefined {
  if (!isRetriedStatus(answer.status)) return undefined;
  const asked = parseRetryAfter(answer.headers.one("retry-after"), clock.dateMs());
  if (asked !== undefined) gate.close(asked);
  return asked;
}
