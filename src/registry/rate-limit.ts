import { MEDIA_TYPES } from "../oci/index.ts";
import { repositoryScope } from "./auth/scope.ts";
import type { HostSession, RegistryRequest } from "./host-session.ts";
import { cleanText } from "./redact.ts";
import type { Headers } from "./transport/exchange.ts";

/** How many pulls a registry allows, as Docker Hub tells it in headers. */
export interface RateLimit {
  readonly limit: number;
  readonly remaining: number | undefined;
  /** Length of the window in which that many are allowed. */
  readonly windowSeconds: number | undefined;
  /** Whom the limit is counted for: an address or a user. */
  readonly source: string | undefined;
}

/** Reads the headers `ratelimit-limit: 100;w=21600`, `ratelimit-remaining`; undefined when there are none. */
function parseRateLimit(headers: Pick<Headers, "one">): RateLimit | undefined {
  const limit = COUNT.exec(headers.one("ratelimit-limit") ?? "");
  if (limit === null) return undefined;
  const remaining = COUNT.exec(headers.one("ratelimit-remaining") ?? "");
  const source = headers.one("docker-ratelimit-source");
  return {
    limit: Number(limit[1]),
    remaining: remaining === null ? undefined : Number(remaining[1]),
    windowSeconds: limit[2] === undefined ? undefined : Number(limit[2]),
    source: source === undefined ? undefined : cleanText(source, 60),
  };
}

const COUNT = /^(\d{1,12})(?:;w=(\d{1,12}))?/;

/**
 * The limit that the registry tells with a manifest. Asked by HEAD, which counts as no pull.
 * @throws {RegistryError} MANIFEST_NOT_FOUND, …
 */
export async function fetchRateLimit(
  session: HostSession,
  request: {
    readonly repository: string;
    readonly name: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<RateLimit | undefined> {
  const { repository, name, signal } = request;
  const wire: RegistryRequest = {
    what: `ask ${session.registry} for its limits`,
    method: "HEAD",
    target: `${repository}/manifests/${name}`,
    repository,
    scopes: [repositoryScope(repository, "pull")],
    headers: { accept: `${MEDIA_TYPES.ociManifest}, ${MEDIA_TYPES.dockerManifest}` },
    missing: "MANIFEST_NOT_FOUND",
    signal,
  };
  const answer = await session.request(wire);
  const limit = parseRateLimit(answer.headers);
  // An exceeded limit is told by a refusal that has the headers too.
  if (limit === undefined && answer.status !== 200) throw await session.refuse(answer, wire);
  answer.body.discard();
  return limit;
}
