import type { Attempt } from "./attempt.ts";
import { Authorizer } from "./auth/authorizer.ts";
import { GuestTokens } from "./auth/guest-tokens.ts";
import { createTokenSender } from "./auth/token-sender.ts";
import { AuthorizedSender, apiUrl } from "./authorized-sender.ts";
import { type Clock, sleep } from "./clock.ts";
import type { CredentialSource } from "./credentials/types.ts";
import type { OnRegistryEvent } from "./events.ts";
import { detectProtocol } from "./hosts/detect-protocol.ts";
import { nameAt } from "./hosts/rename.ts";
import type { Endpoint } from "./hosts/types.ts";
import { ReferrersSupport } from "./manifests/referrers-support.ts";
import { redactUrl } from "./redact.ts";
import { orUnreachable, refusal } from "./refusal.ts";
import type { RegistryRequest } from "./registry-request.ts";
import { SharedWork } from "./shared-work.ts";
import { HostGate } from "./transport/host-gate.ts";
import { isLoopback } from "./transport/net-address.ts";
import { NetworkError } from "./transport/network-error.ts";
import { isRetriedFault, RetryBudget, type RetryPolicy } from "./transport/retry.ts";
import type { Answer, Sender } from "./transport/sender.ts";
import { createTrustOnly } from "./transport/trust-only.ts";
import { closeGate, type RetryContext, withRetries } from "./transport/with-retries.ts";
import { parseWarnings, type WarningFilter } from "./warnings.ts";

export type { RegistryRequest } from "./registry-request.ts";

export interface SessionDeps {
  readonly sender: Sender;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly policy: RetryPolicy;
  readonly warnings: WarningFilter;
  readonly userAgent: string;
  readonly onEvent: OnRegistryEvent | undefined;
  /** For logging in: ask for a refresh token that may be stored. */
  readonly offline?: boolean | undefined;
}

/**
 * One host that speaks for a registry: finds out how to reach it and how to log in, and sends requests with
 * credentials, retries and the pauses it asks for.
 */
export class HostSession {
  readonly registry: string;
  readonly endpoint: Endpoint;
  readonly referrersApi: ReferrersSupport;
  readonly #deps: SessionDeps;
  readonly #authorizer: Authorizer;
  readonly #retry: RetryContext;
  readonly #base = new SharedWork((signal) => this.#detect(signal));
  readonly #sender: AuthorizedSender;

  constructor(registry: string, endpoint: Endpoint, deps: SessionDeps) {
    this.registry = registry;
    this.endpoint = endpoint;
    this.#deps = deps;
    const { clock, policy, onEvent, sender, credentials, userAgent } = deps;
    this.referrersApi = new ReferrersSupport(clock);
    const gate = new HostGate(clock, policy.maxRetryAfterMs);
    this.#retry = {
      clock,
      policy,
      gate,
      onEvent,
      registry: endpoint.host,
      loopback: isLoopback(endpoint.host) && !policy.awaitsLoopback,
    };
    this.#authorizer = new Authorizer({
      registry: credentialKey(registry, endpoint),
      credentials,
      clock,
      offline: deps.offline,
      onWarning: (text) => this.warn(text),
      onUse: (origin) => onEvent?.({ kind: "authorized", registry: endpoint.host, origin }),
      send: createTokenSender({ sender, userAgent }, { endpoint, retry: this.#retry }),
    });
    // To the token servers of others we are nobody either: no certificate of ours goes there.
    const trust = createTrustOnly()(endpoint.tls);
    const guestEndpoint = { ...endpoint, ...(trust === undefined ? {} : { tls: trust }) };
    this.#sender = new AuthorizedSender({
      endpoint,
      authorizer: this.#authorizer,
      guests: new GuestTokens({
        clock,
        send: createTokenSender({ sender, userAgent }, { endpoint: guestEndpoint, retry: this.#retry }),
      }),
      sender,
      clock,
      gate,
      userAgent,
      insecure: this.isInsecure,
    });
  }

  /** What a repository is called on this host. */
  wireName(repository: string): string {
    return nameAt(this.endpoint, repository);
  }

  /** The tries of an operation of several requests. */
  newBudget(): RetryBudget {
    return new RetryBudget(this.#deps.policy, this.#deps.clock);
  }

  /** Tells a warning, each text once. */
  warn(text: string): void {
    const { warnings, onEvent } = this.#deps;
    if (warnings.isNew(`${this.endpoint.host} ${text}`))
      onEvent?.({ kind: "warning", registry: this.endpoint.host, text });
  }

  /**
   * Sends a request and returns its answer, whatever the status, except 401: that has been dealt with or is thrown.
   * @throws {RegistryError} UNREACHABLE, TLS_FAILED, TIMED_OUT, UNAUTHORIZED, BAD_RESPONSE, …
   */
  async request(request: RegistryRequest): Promise<Answer> {
    const base = await this.baseUrl(request);
    const url = request.target instanceof URL ? request.target : this.#urlOf(base, request.target);
    const { method, signal, repository } = request;
    const attempt: Attempt = {
      what: request.what,
      registry: this.registry,
      repository,
      method,
      missing: request.missing,
      get attempts() {
        return budget.attempts;
      },
    };
    const budget = request.budget ?? this.newBudget();
    const answer = await orUnreachable(attempt, url, async () => {
      const once = (): Promise<Answer> => this.#sender.send(request, { url, base });
      if (request.retries === false) {
        await this.#retry.gate.pass(signal);
        const answer = await once();
        // Whatever the caller does next, this host is left alone for as long as it asks.
        closeGate(answer, this.#retry);
        return answer;
      }
      return await withRetries(once, this.#retry, { request: `${method} ${redactUrl(url)}`, budget, signal });
    });
    for (const text of parseWarnings(answer.headers.all("warning"))) this.warn(text);
    if (answer.status !== 401 || answer.url.origin !== base.origin)
      return budget.attempts === 0 ? answer : { ...answer, tries: budget.attempts };
    throw await this.refuse(answer, request);
  }

  /** The error for an answer that the caller cannot use. */
  async refuse(answer: Answer, request: RegistryRequest): Promise<Error> {
    const { what, method, repository, missing } = request;
    const credentialOrigin = await this.#authorizer.origin({ repository });
    const base = await this.baseUrl(request);
    const { origin, host } = answer.url;
    const sentTo = origin === base.origin ? undefined : host === base.host ? origin : host;
    const askedAt = this.endpoint.isUpstream === true ? undefined : this.endpoint.host;
    return await refusal(
      answer,
      { what, registry: this.registry, repository, method, missing, credentialOrigin, askedAt, sentTo },
      this.#deps.clock.dateMs(),
    );
  }

  /** `https://host/prefix`, found out once. */
  async baseUrl(request: Pick<RegistryRequest, "what" | "method" | "repository" | "signal">): Promise<URL> {
    const { what, method, repository, signal } = request;
    const { host } = this.endpoint;
    const attempt = { what, method, repository, registry: this.registry };
    return await orUnreachable(attempt, new URL(`https://${host}/`), () => this.#base.join(signal));
  }

  /** Whether the registry has asked for credentials so far. */
  get wasChallenged(): boolean {
    return this.#authorizer.wasChallenged;
  }

  /** What a token server gave to be stored instead of the password. */
  async refreshToken(): Promise<string | undefined> {
    return await this.#authorizer.refreshToken();
  }

  /** Whether plain http or unverified TLS is what the user has allowed here. */
  get isInsecure(): boolean {
    return this.endpoint.protocol !== "https" || this.endpoint.tls?.skipVerify === true;
  }

  #urlOf(base: URL, path: string): URL {
    const url = apiUrl(base, path);
    if (this.endpoint.sendsNamespace === true) url.searchParams.append("ns", this.registry);
    return url;
  }

  /** Finds out the protocol; a connection that only broke is tried again, like that of any other request. */
  async #detect(signal: AbortSignal): Promise<URL> {
    const { clock, onEvent } = this.#deps;
    const { host } = this.endpoint;
    const budget = this.newBudget();
    for (;;) {
      try {
        return await detectProtocol(this.endpoint, this.#deps, {
          signal,
          onAnswer: (answer) => closeGate(answer, this.#retry),
        });
      } catch (error) {
        if (!(error instanceof NetworkError) || error.fault === "timeout") throw error;
        const attempt = budget.attempts + 1;
        if (!isRetriedFault(error, { loopback: this.#retry.loopback, attempt })) throw error;
        const waitMs = budget.fail();
        if (waitMs === undefined) throw error;
        const reason = error.message;
        onEvent?.({ kind: "retried", registry: host, request: `GET ${host}/v2/`, attempt, waitMs, reason });
        await sleep(clock, waitMs, signal);
      }
    }
  }
}

/** Mirrors have credentials of their own; the registry's never go to another host. */
function credentialKey(registry: string, endpoint: Endpoint): string {
  return endpoint.isUpstream === true ? registry : endpoint.host;
}
