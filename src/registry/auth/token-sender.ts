import type { Endpoint } from "../hosts/types.ts";
import { redactUrl } from "../redact.ts";
import { orUnreachable } from "../refusal.ts";
import { bufferBody } from "../transport/exchange.ts";
import { HostGate } from "../transport/host-gate.ts";
import { isLoopback } from "../transport/net-address.ts";
import { RetryBudget } from "../transport/retry.ts";
import type { Answer, Sender } from "../transport/sender.ts";
import { createTrustOnly } from "../transport/trust-only.ts";
import { type RetryContext, withRetries } from "../transport/with-retries.ts";
import { MAX_TOKEN_BYTES } from "./token.ts";
import type { SendToTokenServer } from "./token-fetch.ts";

/**
 * Sends to the token servers of a registry, whose retries (`retry`) they share in all but the pauses: they are other
 * hosts, with other limits. Answers are read whole, within bounds.
 */
export function createTokenSender(
  { sender, userAgent }: { readonly sender: Sender; readonly userAgent: string },
  { endpoint, retry }: { readonly endpoint: Endpoint; readonly retry: RetryContext },
): SendToTokenServer {
  // What is trusted of a registry is trusted of the token server it names, as Docker does; who we are is not told there.
  const realmTls = createTrustOnly()(endpoint.tls);
  const { clock, policy } = retry;
  const tokenRetry = { ...retry, gate: new HostGate(clock, policy.maxRetryAfterMs) };
  return async ({ method, url, headers, body, signal }) => {
    const attempt = { what: "get a token", registry: endpoint.host, method };
    return await orUnreachable(attempt, url, async () => {
      const tls = url.host === endpoint.host ? endpoint.tls : realmTls;
      const send = async (): Promise<Answer> => {
        const answer = await sender.send({
          method,
          url,
          headers: { "user-agent": userAgent },
          originHeaders: headers,
          body: body === undefined ? undefined : () => body,
          secretBody: body !== undefined,
          tls,
          signal,
        });
        return { ...answer, body: await bufferBody(answer.body, MAX_TOKEN_BYTES) };
      };
      const operation = {
        request: `${method} ${redactUrl(url)}`,
        budget: new RetryBudget(policy, clock),
        signal,
      };
      return await withRetries(
        send,
        { ...tokenRetry, loopback: isLoopback(url.host) && !policy.awaitsLoopback },
        operation,
      );
    });
  };
}
