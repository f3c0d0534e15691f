import type { Dispatcher, ProxyAgent } from "undici";
import type { ChooseProxy } from "../hosts/proxy-rules.ts";
import type { TlsConfig } from "../hosts/types.ts";
import type { Exchange, ExchangeRequest, ExchangeResponse, Headers, ResponseBody } from "./exchange.ts";
import { NetworkError, toNetworkError } from "./network-error.ts";
import { createTlsKeys } from "./tls-key.ts";
import { createTlsOptions, type TlsOptions } from "./tls-options.ts";

const CONNECTIONS_PER_ORIGIN = 8;
const CONNECT_TIMEOUT_MS = 10_000;
const DISCARD_BYTES = 64 * 1024;

export interface ProxyExchangeOptions {
  readonly chooseProxy: ChooseProxy;
  /** For what needs no proxy. */
  readonly direct: Exchange;
}

/**
 * Sends requests through the proxy that is meant for them: https through a tunnel (the proxy sees only the host name),
 * plain http as proxies have always taken it. undici does it, and is loaded only when there is a proxy to go through.
 */
export function createProxyExchange({ chooseProxy, direct }: ProxyExchangeOptions): Exchange {
  const agents = new Map<string, Promise<ProxyAgent>>();
  const tlsKey = createTlsKeys();
  const tlsOptions = createTlsOptions();

  // Uploads have connections of their own: their bodies may come out of other requests to the same host, which must not
  // have to wait for them.
  async function agentFor(proxy: URL, { url, tls, body }: ExchangeRequest): Promise<ProxyAgent> {
    const isUpload = body !== undefined && !(body instanceof Uint8Array);
    const key = `${proxy.href} ${url.origin} ${tlsKey(tls)} ${isUpload}`;
    let agent = agents.get(key);
    if (agent === undefined) {
      agent = createAgent(proxy, { registry: tlsOptions(tls), proxy: tlsOptions(authoritiesOf(tls)) });
      agents.set(key, agent);
    }
    return await agent;
  }

  return {
    async send(request) {
      const proxy = chooseProxy(request.url);
      if (proxy === undefined) return await direct.send(request);
      request.signal?.throwIfAborted();
      const agent = await agentFor(proxy, request);
      try {
        return await sendThrough(agent, request);
      } catch (error) {
        if (request.signal?.aborted === true) throw request.signal.reason;
        throw explained(error, proxy);
      }
    },
    close() {
      for (const agent of agents.values()) void agent.then((made) => made.destroy());
      agents.clear();
      direct.close();
    },
  };
}

/** What counts for the proxy too: whom to trust. Not that a registry is believed unseen, nor who we are there. */
function authoritiesOf(tls: TlsConfig | undefined): TlsConfig | undefined {
  if (tls?.skipVerify === undefined && tls?.clientCertificate === undefined) return tls;
  return tls.extraCa === undefined ? undefined : { extraCa: tls.extraCa };
}

async function createAgent(
  proxy: URL,
  tls: { readonly registry: TlsOptions; readonly proxy: TlsOptions },
): Promise<ProxyAgent> {
  const { ProxyAgent } = await import("undici");
  return new ProxyAgent({
    uri: proxy.href,
    proxyTunnel: false,
    connections: CONNECTIONS_PER_ORIGIN,
    allowH2: false,
    requestTls: { ...tls.registry, timeout: CONNECT_TIMEOUT_MS, allowH2: false },
    proxyTls: { ...tls.proxy, timeout: CONNECT_TIMEOUT_MS },
  });
}

async function sendThrough(agent: ProxyAgent, request: ExchangeRequest): Promise<ExchangeResponse> {
  const { method, url, headers, body, answerTimeoutMs, stallTimeoutMs, signal } = request;
  let sourceFault: { readonly error: unknown } | undefined;
  const length = body === undefined ? undefined : body instanceof Uint8Array ? body.byteLength : body.size;
  async function* chunks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      sourceFault = { error };
      throw error;
    }
  }
  let response: Dispatcher.ResponseData;
  try {
    response = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: method as Dispatcher.HttpMethod,
      headers: length === undefined ? headers : { ...headers, "content-length": String(length) },
      body:
        body === undefined
          ? null
          : body instanceof Uint8Array
            ? body
            : (chunks(body.chunks) as unknown as null),
      headersTimeout: answerTimeoutMs,
      bodyTimeout: stallTimeoutMs,
      signal: signal ?? null,
    });
  } catch (error) {
    if (sourceFault !== undefined) throw sourceFault.error;
    throw error;
  }
  return {
    status: response.statusCode,
    headers: headersOf(response.headers),
    body: bodyOf(response.body, signal),
  };
}

function bodyOf(body: Dispatcher.ResponseData["body"], signal: AbortSignal | undefined): ResponseBody {
  // Without a listener an error between the response and its reading would end the process.
  body.on("error", () => {});
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for await (const chunk of body) yield chunk as Uint8Array;
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        throw toNetworkError(error);
      }
    },
    discard: () => void body.dump({ limit: DISCARD_BYTES }).catch(() => {}),
  };
}

function headersOf(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const all = (name: string): readonly string[] => {
    const value = headers[name];
    return value === undefined ? [] : typeof value === "string" ? [value] : value;
  };
  return { one: (name) => all(name)[0], all };
}

/** Says that it was the proxy that refused: the registry never heard of it. */
function explained(error: unknown, proxy: URL): unknown {
  if (error instanceof NetworkError) return error;
  const text = error instanceof Error ? error.message : "";
  const refused = /^Proxy response \((\d+)\)/.exec(text)?.[1] ?? (text.includes("(407)") ? "407" : undefined);
  if (refused !== undefined) {
    const hint = refused === "407" ? ", because it wants a user name and password" : "";
    return new NetworkError("other", `the proxy ${proxy.host} refused with ${refused}${hint}`, {
      cause: error,
    });
  }
  const network = toNetworkError(error);
  return network.fault === "other"
    ? error
    : new NetworkError(network.fault, `${network.message} (by way of the proxy ${proxy.host})`, {
        cause: error,
        proxy: proxy.host,
      });
}
