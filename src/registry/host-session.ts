import type { Attempt } from "./attempt.ts";
import { Authorizer } from "./auth/authorizer.ts";
import { parseChallenges } from "./auth/challenge.ts";
import type { Scope } from "./auth/scope.ts";
import { createTokenSender } from "./auth/token-sender.ts";
import { type Clock, sleep } from "./clock.ts";
import type { CredentialSource } from "./credentials/types.ts";
import type { RegistryErrorCode } from "./error.ts";
import type { OnRegistryEvent } from "./events.ts";
import { detectProtocol } from "./hosts/detect-protocol.ts";
import type { Endpoint } from "./hosts/types.ts";
import { ReferrersSupport } from "./manifests/referrers-support.ts";
import { redactUrl } from "./redact.ts";
import { orUnreachable, refusal } from "./refusal.ts";
import { BodyTrust } from "./transport/body-trust.ts";
import { bufferBody, type RequestBody } from "./transport/exchange.ts";
import { HostGate } from "./transport/host-gate.ts";
import { isLoopback } from "./transport/net-address.ts";
import { NetworkError } from "./transport/network-error.ts";
import { isRetriedFault, RetryBudget, type RetryPolicy } from "./transport/retry.ts";
import type { Answer, Sender, SendRequest } from "./transport/sender.ts";
import { closeGate, type RetryContext, withRetries } from "./transport/with-retries.ts";
import { parseWarnings, type WarningFilter } from "./warnings.ts";

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
  #base: Promise<URL> | undefined;
  readonly #trust = new BodyTrust();

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
      loopback: isLoopback(endpoint.host),
    };
    this.#authorizer = new Authorizer({
      registry: credentialKey(registry, endpoint),
      credentials,
      clock,
      offline: deps.offline,
      onWarning: (text) => this.warn(text),
      send: createTokenSender({ sender, userAgent }, { endpoint, retry: this.#retry }),
    });
  }

  /** What a repository is called on this host. */
  wireName(repository: string): string {
    const { rename } = this.endpoint;
    if (rename === undefined) return repository;
    const { from, to } = rename;
    const isUnder = from === "" || repository === from || repository.startsWith(`${from}/`);
    if (!isUnder) return repository;
    const rest = repository.slice(from.length).replace(/^\//, "");
    return [to, rest].filter((part) => part !== "").join("/");
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
    const url = request.target instanceof URL ? request.target : this.#resolve(base, request.target);
    const { method, signal, repository } = request;
    const attempt: Attempt = {
      what: request.what,
      registry: this.registry,
      repository,
      method,
      missing: request.missing,
    };
    const budget = request.budget ?? this.newBudget();
    const answer = await orUnreachable(attempt, url, async () => {
      const once = (): Promise<Answer> => this.#authorized(request, url, base);
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
    if (answer.status !== 401 || answer.url.origin !== base.origin) return answer;
    throw await this.refuse(answer, request);
  }

  /** The error for an answer that the caller cannot use. */
  async refuse(answer: Answer, request: RegistryRequest): Promise<Error> {
    const { what, method, repository, missing } = request;
    const credentialOrigin = await this.#authorizer.origin({ repository });
    return await refusal(
      answer,
      { what, registry: this.registry, repository, method, missing, credentialOrigin },
      this.#deps.clock.dateMs(),
    );
  }

  /** `https://host/prefix`, found out once. */
  async baseUrl(request: Pick<RegistryRequest, "what" | "method" | "repository" | "signal">): Promise<URL> {
    if (this.#base === undefined) {
      const { what, method, repository } = request;
      const { host } = this.endpoint;
      const attempt = { what, method, repository, registry: this.registry };
      const found = orUnreachable(attempt, new URL(`https://${host}/`), () => this.#detect());
      this.#base = found;
      // What failed now may work later, and the next caller should find out.
      found.catch(() => {
        if (this.#base === found) this.#base = undefined;
      });
    }
    return await this.#base;
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

  #resolve(base: URL, path: string): URL {
    const url = new URL(`${base.href.replace(/\/$/, "")}/v2/${path}`);
    if (this.endpoint.sendsNamespace === true) url.searchParams.append("ns", this.registry);
    return url;
  }

  /** Finds out the protocol; a connection that only broke is tried again, like that of any other request. */
  async #detect(): Promise<URL> {
    const { clock } = this.#deps;
    const budget = this.newBudget();
    for (;;) {
      try {
        return await detectProtocol(this.endpoint, this.#deps, (answer) => closeGate(answer, this.#retry));
      } catch (error) {
        if (!(error instanceof NetworkError) || error.fault === "timeout") throw error;
        const attempt = budget.attempts + 1;
        if (!isRetriedFault(error, { loopback: this.#retry.loopback, attempt })) throw error;
        const waitMs = budget.fail();
        if (waitMs === undefined) throw error;
        await sleep(clock, waitMs);
      }
    }
  }

  /** One try, with a second one where the first taught how to log in. */
  async #authorized(request: RegistryRequest, url: URL, base: URL): Promise<Answer> {
    const { scopes, repository, signal, body } = request;
    const isOwn = url.origin === base.origin;
    const options = { scopes, repository, signal, withBody: body !== undefined };
    for (let repeated = false; ; repeated = true) {
      const authorization = isOwn ? await this.#authorizer.header(options) : undefined;
      // While a token was fetched another worker may have been asked to wait.
      await this.#retry.gate.pass(signal);
      const answer = await this.#send({
        method: request.method,
        url,
        headers: { "user-agent": this.#deps.userAgent, "accept-encoding": "identity", ...request.headers },
        originHeaders: isOwn
          ? { ...this.endpoint.headers, ...(authorization === undefined ? {} : { authorization }) }
          : undefined,
        body,
        tls: isOwn ? this.endpoint.tls : undefined,
        answerTimeoutMs: request.answerTimeoutMs,
        followRedirects: request.followRedirects,
        bulk: request.bulk,
        transient: request.transient,
        signal,
      });
      if (answer.status !== 401 || repeated || answer.url.origin !== base.origin) {
        if (request.documentBytes === undefined || answer.status !== 200) return answer;
        return { ...answer, body: await bufferBody(answer.body, request.documentBytes) };
      }
      const challenges = parseChallenges(await this.#challengeHeaders(answer, base));
      const context = { ...options, url: base, insecure: this.isInsecure };
      if (!(await this.#authorizer.challenged(challenges, authorization, context))) return answer;
      answer.body.discard();
    }
  }

  async #send(request: SendRequest): Promise<Answer> {
    const { clock, sender } = this.#deps;
    const expectContinue = request.body === undefined ? undefined : this.#trust.expectation;
    let bytes: number | undefined = 0;
    const body = (): RequestBody => {
      const opened = request.body?.() ?? new Uint8Array(0);
      bytes = opened instanceof Uint8Array ? opened.byteLength : opened.size;
      return opened;
    };
    const startedMs = clock.nowMs();
    try {
      const options = request.body === undefined ? request : { ...request, body, expectContinue };
      const answer = await sender.send(options);
      this.#trust.answered(answer.status, { bytes }, clock.nowMs() - startedMs);
      if (answer.status !== 417 || expectContinue === undefined) return answer;
      answer.body.discard();
    } catch (error) {
      this.#trust.failed();
      throw error;
    }
    this.#trust.refusedQuestion();
    return await sender.send(request);
  }

  /** Some registries put the challenge only into the answer to `/v2/`. */
  async #challengeHeaders(answer: Answer, base: URL): Promise<readonly string[]> {
    const own = answer.headers.all("www-authenticate");
    if (own.length > 0) return own;
    const { userAgent, sender } = this.#deps;
    const ping = await sender.send({
      method: "GET",
      url: this.#resolve(base, ""),
      headers: { "user-agent": userAgent },
      originHeaders: this.endpoint.headers,
      tls: this.endpoint.tls,
    });
    ping.body.discard();
    return ping.headers.all("www-authenticate");
  }
}

/** Mirrors have credentials of their own; the registry's never go to another host. */
function credentialKey(registry: string, endpoint: Endpoint): string {
  return endpoint.isUpstream === true ? registry : endpoint.host;
}
