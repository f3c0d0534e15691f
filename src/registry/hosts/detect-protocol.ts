import { MAX_ERROR_BODY_BYTES } from "../error-body.ts";
import { readBodyStart } from "../transport/exchange.ts";
import { isLoopback } from "../transport/net-address.ts";
import { NetworkError } from "../transport/network-error.ts";
import type { Answer, Sender } from "../transport/sender.ts";
import type { Endpoint } from "./types.ts";

/** A server that does not understand the protocol may never answer; a registry answers this at once. */
const PROBE_TIMEOUT_MS = 5000;

/**
 * The base URL of an endpoint. Where both protocols are allowed an unauthenticated `GET /v2/` decides: on loopback plain
 * http goes first, because a server there that awaits plain http may hang on a TLS greeting; elsewhere https does.
 * @throws {NetworkError}
 */
export async function detectProtocol(
  endpoint: Endpoint,
  { sender, userAgent }: { readonly sender: Sender; readonly userAgent: string },
  {
    signal,
    onAnswer = () => {},
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly onAnswer?: (answer: Answer) => void;
  } = {},
): Promise<URL> {
  const base = (protocol: "http" | "https"): URL =>
    new URL(`${protocol}://${endpoint.host}${endpoint.pathPrefix ?? ""}`);
  if (endpoint.protocol !== "detect") return base(endpoint.protocol);
  const order = isLoopback(endpoint.host) ? (["http", "https"] as const) : (["https", "http"] as const);
  let first: NetworkError | undefined;
  for (const protocol of order) {
    const url = base(protocol);
    try {
      const answer = await sender.send({
        method: "GET",
        url: new URL(`${url.href.replace(/\/$/, "")}/v2/`),
        headers: { "user-agent": userAgent },
        tls: endpoint.tls,
        answerTimeoutMs: PROBE_TIMEOUT_MS,
        followRedirects: false,
        signal,
      });
      onAnswer(answer);
      const body = Buffer.from(await readBodyStart(answer.body, MAX_ERROR_BODY_BYTES)).toString("latin1");
      // What Go's and nginx's TLS servers say to plain http.
      const wantsTls =
        answer.status === 400 && /HTTP(?: request)? (?:was )?(?:sent )?to (?:an )?HTTPS/i.test(body);
      if (!wantsTls) return url;
      first ??= new NetworkError("protocol", "it speaks https, not http");
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof NetworkError)) throw error;
      // Nobody listens, or there is no such host: the other protocol would find the same.
      if (error.fault === "dns" || (error.fault === "refused" && isLoopback(endpoint.host))) throw error;
      // A certificate that was refused is an answer, not a reason to do without one.
      if (error.fault === "certificate") throw error;
      first ??= error;
    }
  }
  throw first ?? new NetworkError("other", "it speaks neither https nor http");
}
