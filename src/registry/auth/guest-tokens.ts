import type { Clock } from "../clock.ts";
import { RegistryError } from "../error.ts";
import { type AuthorizeOptions, Authorizer } from "./authorizer.ts";
import type { Challenge } from "./challenge.ts";
import { chooseChallenge } from "./choose-challenge.ts";
import { isWrite, type Scope } from "./scope.ts";
import type { SendToTokenServer } from "./token-fetch.ts";

/** Hosts remembered at most; a registry has one storage, or a few. */
const MAX_HOSTS = 20;

interface Host {
  readonly authorizer: Authorizer;
  readonly scopes: readonly Scope[];
}

/**
 * Anonymous tokens for hosts that a registry sends us to: its storage, or whoever takes its uploads. Such a host may ask for
 * a token with a challenge of its own, and gets one that anybody could have. It never learns who we are.
 */
export class GuestTokens {
  readonly #deps: { readonly clock: Clock; readonly send: SendToTokenServer };
  readonly #hosts = new Map<string, Host>();

  constructor(deps: { readonly clock: Clock; readonly send: SendToTokenServer }) {
    this.#deps = deps;
  }

  /** The Authorization header for a host that has asked for one before; undefined for all others. */
  async header(url: URL, options: AuthorizeOptions): Promise<string | undefined> {
    const key = keyOf(url, options);
    const host = this.#hosts.get(key);
    if (host === undefined) return undefined;
    try {
      return await host.authorizer.header({ ...options, scopes: host.scopes });
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof RegistryError)) throw error;
      // No token for guests: what the host says to a request without one is the answer.
      this.#hosts.delete(key);
      return undefined;
    }
  }

  /** Learns from a host's 401. Returns the header to try again with; `sent` is the one that was refused. */
  async challenged(
    challenges: readonly Challenge[],
    sent: string | undefined,
    { url, options }: { readonly url: URL; readonly options: AuthorizeOptions },
  ): Promise<string | undefined> {
    const chosen = chooseChallenge(challenges, { url, insecure: false });
    if (chosen.kind === "unusable" || chosen.scheme.kind !== "bearer") return undefined;
    const key = keyOf(url, options);
    const scopes = chosen.scopes.length > 0 ? chosen.scopes : options.scopes;
    const authorizer = this.#hosts.get(key)?.authorizer ?? this.#newAuthorizer(url);
    this.#hosts.delete(key);
    this.#hosts.set(key, { authorizer, scopes });
    for (const oldest of this.#hosts.keys()) {
      if (this.#hosts.size <= MAX_HOSTS) break;
      this.#hosts.delete(oldest);
    }
    await authorizer.challenged(challenges, sent, { ...options, scopes, url, insecure: false });
    const header = await this.header(url, options);
    return header === sent ? undefined : header;
  }

  #newAuthorizer(url: URL): Authorizer {
    return new Authorizer({
      ...this.#deps,
      registry: url.host,
      credentials: { find: async () => undefined },
      onWarning: () => {},
    });
  }
}

function keyOf({ origin }: URL, { repository, scopes }: AuthorizeOptions): string {
  return `${origin} ${repository ?? ""} ${isWrite(scopes) ? "write" : "read"}`;
}
