import type { Dispatcher } from "undici";
import { isRedirect } from "../../../registry/transport/redirect.ts";
import { isUnknownAuthority } from "../../../registry/transport/unknown-authority.ts";
import { redactCredentials } from "../../redact-url.ts";
import type { SecretSource } from "../../types.ts";
import { authorizationFor } from "./http-authorization.ts";

export interface HttpClientOptions {
  readonly secrets: readonly SecretSource[];
  /** The user's variables: proxies, and where certificates are. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export interface HttpResponse {
  readonly status: number;
  /** The first value of a header, by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  readonly body: Dispatcher.ResponseData["body"];
}

const MAX_REDIRECTS = 10;
const ANSWER_TIMEOUT_MS = 120_000;
const STALL_TIMEOUT_MS = 60_000;

/** Gets URLs the way that the user's environment asks for: proxies, certificates, secrets. Close it at the end. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #dispatchers = new Map<string, Promise<Dispatcher>>();
  #needsSystemCa = false;
  #proxyRules: Promise<(url: URL) => URL | undefined> | undefined;
  #systemCa: (() => Promise<readonly string[]>) | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /**
   * The answer to a GET, after redirects. Credentials go to no other host than the URL's own.
   * @throws whatever the connection fails with; the signal's reason
   */
  async get(
    url: string,
    { headers, signal }: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
  ): Promise<HttpResponse> {
    const start = new URL(url);
    const authorization = await authorizationFor(start, this.#options.secrets);
    let address = start;
    for (let redirects = 0; ; redirects++) {
      const isOwn = address.host === start.host && address.protocol === start.protocol;
      const sent = isOwn && authorization !== undefined ? { ...headers, authorization } : headers;
      const response = await this.#send(address, sent, signal);
      const location = response.header("location");
      if (!isRedirect(response.status) || location === undefined) return response;
      await response.body.dump();
      if (redirects >= MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`);
      const next = URL.canParse(location, address.href) ? new URL(location, address) : undefined;
      if (next === undefined || !/^https?:$/.test(next.protocol))
        throw new Error(`it redirects to "${redactCredentials(location)}"`);
      if (address.protocol === "https:" && next.protocol === "http:")
        throw new Error(`it redirects from https to "${redactCredentials(location)}"`);
      address = next;
    }
  }

  async close(): Promise<void> {
    for (const dispatcher of this.#dispatchers.values()) await (await dispatcher).destroy();
    this.#dispatchers.clear();
  }

  async #send(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const { request } = await import("undici");
    const ask = async (): Promise<Dispatcher.ResponseData> =>
      request(`${url.origin}${url.pathname}${url.search}`, {
        dispatcher: await this.#dispatcherFor(url),
        headers,
        headersTimeout: ANSWER_TIMEOUT_MS,
        bodyTimeout: STALL_TIMEOUT_MS,
        signal,
      });
    let response: Dispatcher.ResponseData;
    try {
      response = await ask();
    } catch (error) {
      signal.throwIfAborted();
      if (this.#needsSystemCa || !isUnknownAuthority(error)) throw error;
      this.#needsSystemCa = true;
      response = await ask();
    }
    return {
      status: response.statusCode,
      header: (name) => {
        const value = response.headers[name];
        return typeof value === "string" ? value : value?.[0];
      },
      body: response.body,
    };
  }

  async #dispatcherFor(url: URL): Promise<Dispatcher> {
    this.#proxyRules ??= this.#readProxyRules();
    const proxy = (await this.#proxyRules)(url);
    const key = `${proxy?.href ?? "direct"} ${this.#needsSystemCa}`;
    let dispatcher = this.#dispatchers.get(key);
    if (dispatcher === undefined) {
      dispatcher = this.#createDispatcher(proxy);
      this.#dispatchers.set(key, dispatcher);
    }
    return dispatcher;
  }

  async #readProxyRules(): Promise<(url: URL) => URL | undefined> {
    const { variables } = this.#options;
    // Spares most builds the code.
    if (!Object.keys(variables).some((name) => /_proxy$/i.test(name))) return () => undefined;
    const { createProxyRules, proxySettings } = await import("../../../registry/index.ts");
    return createProxyRules(proxySettings(variables));
  }

  async #createDispatcher(proxy: URL | undefined): Promise<Dispatcher> {
    const { Agent, ProxyAgent } = await import("undici");
    const tls = this.#needsSystemCa ? { ca: await this.#authorities() } : {};
    if (proxy === undefined) return new Agent({ connect: tls });
    return new ProxyAgent({ uri: proxy.href, proxyTunnel: false, requestTls: tls });
  }

  async #authorities(): Promise<string[]> {
    const [{ createSystemCa }, { rootCertificates }] = await Promise.all([
      import("../../../registry/index.ts"),
      import("node:tls"),
    ]);
    this.#systemCa ??= createSystemCa(this.#options.variables);
    return [...rootCertificates, ...(await this.#systemCa())];
  }
}
