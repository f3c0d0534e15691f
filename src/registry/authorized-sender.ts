import type { AuthorizeOptions, Authorizer } from "./auth/authorizer.ts";
import { type Challenge, parseChallenges } from "./auth/challenge.ts";
import type { GuestTokens } from "./auth/guest-tokens.ts";
import type { Clock } from "./clock.ts";
import type { Endpoint } from "./hosts/types.ts";
import type { RegistryRequest } from "./registry-request.ts";
import { BodyTrust } from "./transport/body-trust.ts";
import { bufferBody, type RequestBody } from "./transport/exchange.ts";
import type { HostGate } from "./transport/host-gate.ts";
import type { Answer, Sender, SendRequest } from "./transport/sender.ts";
import { createTrustOnly } from "./transport/trust-only.ts";

export interface AuthorizedSenderDeps {
  readonly endpoint: Endpoint;
  readonly authorizer: Authorizer;
  /** For hosts that this one sends us to. */
  readonly guests: GuestTokens;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly gate: HostGate;
  readonly userAgent: string;
  /** A login over plain http is what the user has allowed here. */
  readonly insecure: boolean;
}

/**
 * Sends requests to one host with what it wants to know of us, each once: what comes back is for the session to judge. Learns
 * how to log in, and whether the host takes bodies, from the answers.
 */
export class AuthorizedSender {
  readonly #deps: AuthorizedSenderDeps;
  readonly #trust = new BodyTrust();
  readonly #trustOnly = createTrustOnly();

  constructor(deps: AuthorizedSenderDeps) {
    this.#deps = deps;
  }

  /** One try, with a second one where the first taught how to log in, and a third where the second taught what it takes. */
  async send(
    request: RegistryRequest,
    { url, base }: { readonly url: URL; readonly base: URL },
  ): Promise<Answer> {
    const { authorizer, insecure } = this.#deps;
    const { scopes, repository, signal, body, method } = request;
    const options = { scopes, repository, signal, withBody: body !== undefined };
    if (url.origin !== base.origin) return await this.#sendElsewhere(request, { url, options });
    for (let refusals = 0; ; refusals++) {
      const authorization = await authorizer.header(options);
      const answer = await this.#once(request, { url, authorization, isOwn: true });
      if (answer.status !== 401) return await withDocument(answer, request);
      if (answer.url.origin !== base.origin) {
        // A redirected body would have to be sent to the registry once more, only to come here again.
        if (method !== "GET" && method !== "HEAD") return answer;
        return await this.#asGuest(answer, undefined, { request, options });
      }
      if (refusals === 2) return answer;
      const challenges = await this.#challengesOf(answer, { base, signal });
      const context = { ...options, url: base, insecure, repeated: refusals > 0 };
      if (!(await authorizer.challenged(challenges, authorization, context))) return answer;
      answer.body.discard();
    }
  }

  /** To a URL on another host that the registry gave us. */
  async #sendElsewhere(
    request: RegistryRequest,
    { url, options }: { readonly url: URL; readonly options: AuthorizeOptions },
  ): Promise<Answer> {
    const authorization = await this.#deps.guests.header(url, options);
    const answer = await this.#once(request, { url, authorization, isOwn: false });
    if (answer.status !== 401 || answer.url.origin !== url.origin) return await withDocument(answer, request);
    return await this.#asGuest(answer, authorization, { request, options });
  }

  /** Once more with an anonymous token, where another host's 401 says how to get one; else its answer as it is. */
  async #asGuest(
    answer: Answer,
    sent: string | undefined,
    { request, options }: { readonly request: RegistryRequest; readonly options: AuthorizeOptions },
  ): Promise<Answer> {
    const { url, hops } = answer;
    const challenges = parseChallenges(answer.headers.all("www-authenticate"));
    const authorization = await this.#deps.guests.challenged(challenges, sent, { url, options });
    if (authorization === undefined) return answer;
    answer.body.discard();
    const second = await this.#once(request, { url, authorization, isOwn: false });
    return await withDocument({ ...second, hops: [...hops, ...second.hops] }, request);
  }

  async #once(
    request: RegistryRequest,
    to: { readonly url: URL; readonly authorization: string | undefined; readonly isOwn: boolean },
  ): Promise<Answer> {
    const { endpoint, gate, userAgent } = this.#deps;
    const { url, authorization, isOwn } = to;
    // While a token was fetched another worker may have been asked to wait.
    await gate.pass(request.signal);
    return await this.#send({
      method: request.method,
      url,
      headers: { "user-agent": userAgent, "accept-encoding": "identity", ...request.headers },
      originHeaders: {
        ...(isOwn ? endpoint.headers : undefined),
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: request.body,
      tls: isOwn ? endpoint.tls : this.#trustOnly(endpoint.tls),
      answerTimeoutMs: request.answerTimeoutMs,
      followRedirects: request.followRedirects,
      bulk: request.bulk,
      transient: request.transient,
      signal: request.signal,
    });
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
  async #challengesOf(
    answer: Answer,
    { base, signal }: { readonly base: URL; readonly signal: AbortSignal | undefined },
  ): Promise<readonly Challenge[]> {
    const own = parseChallenges(answer.headers.all("www-authenticate"));
    if (own.some(({ scheme }) => scheme === "bearer" || scheme === "basic")) return own;
    const { endpoint, userAgent, sender } = this.#deps;
    const ping = await sender.send({
      method: "GET",
      url: apiUrl(base, ""),
      headers: { "user-agent": userAgent },
      originHeaders: endpoint.headers,
      tls: endpoint.tls,
      signal,
    });
    ping.body.discard();
    return [...own, ...parseChallenges(ping.headers.all("www-authenticate"))];
  }
}

/** Takes a document in at once, so that its breaking is a failed try. */
async function withDocument(answer: Answer, { documentBytes }: RegistryRequest): Promise<Answer> {
  if (documentBytes === undefined || answer.status !== 200) return answer;
  return { ...answer, body: await bufferBody(answer.body, documentBytes) };
}

/** Where a path of the API is on a host. */
export function apiUrl(base: URL, path: string): URL {
  return new URL(`${base.href.replace(/\/$/, "")}/v2/${path}`);
}
