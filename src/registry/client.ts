import type { Reference } from "../oci/index.ts";
import { BlobStreams } from "./blobs/blob-streams.ts";
import { EarlyPushes } from "./blobs/early-pushes.ts";
import { KnownBlobs } from "./blobs/known-blobs.ts";
import type { PushBlobResult } from "./blobs/push-types.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import type { CredentialSource, Credentials } from "./credentials/types.ts";
import type { OnRegistryEvent, RegistryEvent } from "./events.ts";
import type { SessionDeps } from "./host-session.ts";
import { createDefaultHosts } from "./hosts/default-hosts.ts";
import type { ChooseProxy } from "./hosts/proxy-rules.ts";
import type { HostConfigSource } from "./hosts/types.ts";
import { listRepositories } from "./manifests/list-tags.ts";
import { RegistrySessions } from "./registry-sessions.ts";
import { Repository, type RepositoryDeps } from "./repository.ts";
import { SerialQueue } from "./serial-queue.ts";
import type { Exchange } from "./transport/exchange.ts";
import { createNodeExchange } from "./transport/node-exchange.ts";
import { createProxyExchange } from "./transport/proxy-exchange.ts";
import { DEFAULT_RETRY_POLICY, type RetryPolicy, retryFor } from "./transport/retry.ts";
import { Sender, type Timeouts } from "./transport/sender.ts";
import { createSystemCaExchange } from "./transport/system-ca-exchange.ts";
import { WarningFilter } from "./warnings.ts";

export interface RegistryClientOptions {
  /** Who we are, by registry; anonymous everywhere when absent. */
  readonly credentials?: CredentialSource | undefined;
  /** Where requests go; https, and plain http on loopback, when absent. */
  readonly hosts?: HostConfigSource | undefined;
  readonly userAgent?: string | undefined;
  readonly onEvent?: OnRegistryEvent | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /**
   * How long to go on trying while nothing gets on, however often; 0 tries everything once. When absent: ten tries, and
   * ten minutes at most.
   */
  readonly retryTimeoutMs?: number | undefined;
  /** A minute each when absent. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Which requests go through a proxy; none when absent. See `createProxyRules`. */
  readonly proxy?: ChooseProxy | undefined;
  /** The system's certificate authorities, for certificates whose issuer Node does not know. See `createSystemCa`. */
  readonly systemCa?: (() => Promise<readonly string[]>) | undefined;
  readonly clock?: Clock | undefined;
  /**
   * Layers that a registry may not pass on (`urls` in their descriptor) are fetched from where their image says; from
   * public hosts over https only. An image could name any address there, so the default is no.
   */
  readonly foreignLayers?: boolean | undefined;
}

const ANONYMOUS: CredentialSource = { find: () => Promise.resolve<Credentials | undefined>(undefined) };

/**
 * Speaks with registries by the OCI distribution specification. Reads no environment and no files: what it needs to
 * know comes in through its options. One client serves any number of registries at once; it keeps connections,
 * tokens and what it has seen where. Idle connections do not keep the process alive.
 *
 * ```ts
 * await using client = new RegistryClient({ onEvent: console.error });
 * const { descriptor } = await client.repository(parseReference("ghcr.io/owner/app")).fetchManifest("1.2");
 * ```
 */
export class RegistryClient implements AsyncDisposable {
  readonly #deps: RepositoryDeps;
  readonly #exchange: Exchange;

  constructor(options: RegistryClientOptions = {}) {
    const { onEvent, clock = SYSTEM_CLOCK, retryTimeoutMs } = options;
    this.#exchange = createExchange(options);
    const deps: SessionDeps = {
      sender: new Sender(this.#exchange, clock, onEvent, options.timeouts),
      credentials: options.credentials ?? ANONYMOUS,
      clock,
      policy: {
        ...DEFAULT_RETRY_POLICY,
        ...(retryTimeoutMs === undefined ? {} : retryFor(retryTimeoutMs)),
        ...options.retry,
      },
      warnings: new WarningFilter(),
      userAgent: options.userAgent ?? "strake",
      onEvent,
    };
    this.#deps = {
      ...deps,
      sessions: new RegistrySessions(options.hosts ?? createDefaultHosts(), deps),
      known: new KnownBlobs(),
      uploads: new Map<string, Promise<PushBlobResult>>(),
      early: new EarlyPushes(),
      streams: new BlobStreams(clock),
      foreignLayers: options.foreignLayers ?? false,
      referrerQueue: new SerialQueue(),
      distrusted: new Set<string>(),
    };
  }

  /** A view of one repository; nothing is asked of the registry yet. */
  repository({ registry, repository }: Pick<Reference, "registry" | "repository">): Repository {
    return new Repository(registry, repository, this.#deps);
  }

  /** The repositories of a registry, page by page. @throws {RegistryError} UNSUPPORTED where it tells nobody */
  async *listRepositories(
    registry: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<readonly string[], void, undefined> {
    yield* listRepositories(await this.#deps.sessions.upstream(registry), options);
  }

  /**
   * Tries a user name and password on a registry. Returns what to store: the refresh token where its token server
   * gives one, else the password. `checked` is false where the registry lets anybody in and so tells nothing.
   * @throws {RegistryError} UNAUTHORIZED, DENIED, …
   */
  async login(
    registry: string,
    { username, password }: { readonly username: string; readonly password: string },
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<{ readonly credentials: Credentials; readonly username: string; readonly checked: boolean }> {
    const origin = "what was entered";
    const credentials: Credentials = { kind: "password", username, password, origin };
    const session = await this.#deps.sessions.loginSession(registry, {
      find: () => Promise.resolve(credentials),
    });
    const request = { what: `log in to ${registry}`, method: "GET", target: "", scopes: [], signal };
    const answer = await session.request(request);
    if (answer.status !== 200) throw await session.refuse(answer, request);
    answer.body.discard();
    const token = await session.refreshToken();
    return {
      credentials: token === undefined ? credentials : { kind: "identity-token", token, origin },
      username,
      checked: session.wasChallenged,
    };
  }

  /** Tells this client's listener about something that happened around it. */
  emit(event: RegistryEvent): void {
    this.#deps.onEvent?.(event);
  }

  /** Closes idle connections. */
  close(): void {
    this.#exchange.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

function createExchange({ proxy, systemCa }: RegistryClientOptions): Exchange {
  const direct = createNodeExchange();
  const exchange = proxy === undefined ? direct : createProxyExchange({ chooseProxy: proxy, direct });
  return systemCa === undefined ? exchange : createSystemCaExchange(exchange, systemCa);
}
