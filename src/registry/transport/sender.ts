import type { Clock } from "../clock.ts";
import type { OnRegistryEvent } from "../events.ts";
import type { TlsConfig } from "../hosts/types.ts";
import { redactUrl } from "../redact.ts";
import type { Exchange, ExchangeResponse, ExpectContinue, Headers, RequestBody } from "./exchange.ts";
import { NetworkError } from "./network-error.ts";
import { decideRedirect, isRedirect } from "./redirect.ts";
import { createTrustOnly } from "./trust-only.ts";

export interface Timeouts {
  /** How long a server may think about a small request. */
  readonly answerMs: number;
  /** How long nothing may move in the middle of a body. */
  readonly stallMs: number;
}

const DEFAULT_TIMEOUTS: Timeouts = { answerMs: 60_000, stallMs: 60_000 };

export interface SendRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Headers for the URL's own origin only: Authorization and the like. */
  readonly originHeaders?: Readonly<Record<string, string>> | undefined;
  /** Opened anew for every hop that wants it. */
  readonly body?: (() => RequestBody) | undefined;
  /** The body proves who we are, so it goes to no other origin. */
  readonly secretBody?: boolean | undefined;
  /** A client certificate in it is for the URL's own origin only. */
  readonly tls?: TlsConfig | undefined;
  readonly answerTimeoutMs?: number | undefined;
  readonly followRedirects?: boolean | undefined;
  /** The body will be large. */
  readonly bulk?: boolean | undefined;
  readonly transient?: boolean | undefined;
  /** See `ExchangeRequest`. */
  readonly expectContinue?: ExpectContinue | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer extends ExchangeResponse {
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** Headers of the redirects on the way: some registries name the digest only there. */
  readonly hops: readonly Headers[];
  /** How often it has been tried in vain, this answer included; undefined where nobody counts. */
  readonly tries?: number | undefined;
}

/** Sends a request and follows its redirects; tells each answer to `onEvent`. */
export class Sender {
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly #onEvent: OnRegistryEvent | undefined;
  readonly #timeouts: Timeouts;
  readonly #trustOnly = createTrustOnly();

  constructor(
    exchange: Exchange,
    clock: Clock,
    onEvent: OnRegistryEvent | undefined,
    timeouts: Partial<Timeouts> = {},
  ) {
    this.#exchange = exchange;
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...timeouts };
  }

  /** @throws {NetworkError} @throws {RedirectRefusedError} */
  async send(request: SendRequest): Promise<Answer> {
    let { method, url } = request;
    let isOrigin = true;
    const trail: string[] = [];
    const hops: Headers[] = [];
    const elsewhere = this.#trustOnly(request.tls);
    for (;;) {
      trail.push(`${method} ${url.href}`);
      const startedMs = this.#clock.nowMs();
      const response = await this.#exchange.send({
        method,
        url,
        headers: isOrigin ? { ...request.headers, ...request.originHeaders } : request.headers,
        body: method === "GET" || method === "HEAD" ? undefined : request.body?.(),
        answerTimeoutMs: request.answerTimeoutMs ?? this.#timeouts.answerMs,
        stallTimeoutMs: this.#timeouts.stallMs,
        tls: isOrigin ? request.tls : elsewhere,
        bulk: request.bulk,
        transient: request.transient,
        expectContinue: request.expectContinue,
        signal: request.signal,
      });
      const { status } = response;
      this.#onEvent?.({
        kind: "request",
        method,
        url: redactUrl(url),
        status,
        durationMs: this.#clock.nowMs() - startedMs,
      });
      if (!isRedirect(status) || request.followRedirects === false) return { ...response, url, hops };
      const decision = decideRedirect({
        method,
        url,
        status,
        location: response.headers.one("location"),
        trail,
      });
      response.body.discard();
      if (decision.kind === "refuse") throw new RedirectRefusedError(url, decision.reason);
      if (request.secretBody === true && !decision.sameOrigin && decision.method === method) {
        throw new RedirectRefusedError(url, "it would take credentials to another host");
      }
      hops.push(response.headers);
      isOrigin = isOrigin && decision.sameOrigin;
      ({ method, url } = decision);
    }
  }
}

/** A server sent us where we do not go. */
class RedirectRefusedError extends NetworkError {
  constructor(from: URL, reason: string) {
    super("other", `the redirect from ${redactUrl(from)} is not followed: ${reason}`);
  }
}
