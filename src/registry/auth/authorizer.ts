import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { CredentialSource, Credentials } from "../credentials/types.ts";
import { RegistryError } from "../error.ts";
import { SharedWork } from "../shared-work.ts";
import type { Challenge } from "./challenge.ts";
import { type AuthScheme, chooseChallenge } from "./choose-challenge.ts";
import { coversScopes, formatScope, isReadOnly, isWrite, mergeScopes, type Scope } from "./scope.ts";
import { bodyMarginMs, type Token, useUntilMs } from "./token.ts";
import { basicHeader, fetchToken, type SendToTokenServer } from "./token-fetch.ts";

/** Tokens kept at most; a copy of many repositories makes one for each. */
const MAX_TOKENS = 200;
/** Scopes that a registry may name for one repository. */
const MAX_DEMANDED = 20;

export interface AuthorizerOptions {
  /** The name that credentials are looked up by. */
  readonly registry: string;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly send: SendToTokenServer;
  readonly onWarning: (text: string) => void;
  /** Told where credentials came from before they are used; undefined where there are none. */
  readonly onUse?: ((origin: string | undefined) => void) | undefined;
  /** Ask token servers for a refresh token that may be stored: for logging in. */
  readonly offline?: boolean | undefined;
}

export interface AuthorizeOptions {
  readonly scopes: readonly Scope[];
  readonly repository?: string | undefined;
  /** A body follows, so the token must last a while. */
  readonly withBody?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface KeptToken {
  readonly owner: string;
  readonly scopes: readonly Scope[];
  readonly token: Token;
  readonly receivedMs: number;
}

/** Knows how one registry wants to be spoken to, and keeps the tokens for it. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  #scheme: AuthScheme | undefined;
  #tokens: readonly KeptToken[] = [];
  readonly #flights = new Map<string, SharedWork<KeptToken>>();
  readonly #refreshTokens = new Map<string, string>();
  /** What has been granted so far: asked for again together, so that pull and push don't take turns. */
  #granted: readonly Scope[] = [];
  /** What the registry has named beyond what was asked for, by repository. */
  readonly #demanded = new Map<string, readonly Scope[]>();
  /** Owners whose credentials were refused for reading, where no credentials did better. */
  readonly #refusedForPull = new Set<string>();
  readonly #told = new Set<string>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The Authorization header for a request; undefined while the registry has not asked for any. */
  async header(options: AuthorizeOptions): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (scheme === undefined) return undefined;
    const credentials = await this.#find(options);
    const used = `${credentials?.kind} ${credentials?.origin}`;
    if (!this.#told.has(used)) {
      this.#told.add(used);
      this.#options.onUse?.(credentials?.origin);
    }
    if (scheme.kind === "basic")
      return credentials?.kind === "password" ? basicHeader(credentials) : undefined;
    if (credentials?.kind === "registry-token") return `Bearer ${credentials.token}`;
    const { token } = await this.#token(scheme, credentials, options);
    return `Bearer ${token.token}`;
  }

  /**
   * Learns from a 401. Returns whether repeating the request can help; `sent` is the header that it had, `repeated` says
   * that it was a second try: then only a right helps that nobody has asked for yet.
   * @throws {RegistryError} UNAUTHORIZED when nothing that the registry offers can be done
   */
  async challenged(
    challenges: readonly Challenge[],
    sent: string | undefined,
    options: AuthorizeOptions & {
      readonly url: URL;
      readonly insecure: boolean;
      readonly repeated?: boolean;
    },
  ): Promise<boolean> {
    const { registry } = this.#options;
    const chosen = chooseChallenge(challenges, options);
    if (chosen.kind === "unusable") {
      throw new RegistryError("UNAUTHORIZED", `Cannot log in to ${registry}: ${chosen.reason}`, {
        registry,
        status: 401,
        hint:
          "That is for whoever runs the registry to mend: it has to know by which address it is reached (Nexus: " +
          "Base URL), and to offer Basic or Bearer",
      });
    }
    this.#scheme = chosen.scheme;
    if (chosen.scheme.kind === "basic") {
      const header = options.repeated === true ? undefined : await this.header(options);
      return header !== undefined && header !== sent;
    }
    if (sent === undefined) return options.repeated !== true;
    const credentials = await this.#find(options);
    if (credentials?.kind === "registry-token") return sent !== `Bearer ${credentials.token}`;
    // The token was refused: never again this one, and with what the registry says it wanted beside what we thought.
    this.#tokens = this.#tokens.filter(({ token }) => sent !== `Bearer ${token.token}`);
    const isNew = chosen.error === "insufficient_scope" && this.#demand(chosen.scopes, options);
    return isNew || options.repeated !== true;
  }

  /** Notes what a repository's token has to allow as well; false where that has been asked for before. */
  #demand(named: readonly Scope[], { scopes, repository = "" }: AuthorizeOptions): boolean {
    const known = this.#demanded.get(repository) ?? [];
    if (coversScopes([...scopes, ...known], named)) return false;
    if (this.#demanded.size >= MAX_TOKENS) this.#demanded.clear();
    this.#demanded.set(repository, mergeScopes([...known, ...named]).slice(-MAX_DEMANDED));
    return true;
  }

  /** For messages: where the credentials for this came from. */
  async origin(options: { readonly repository?: string | undefined }): Promise<string> {
    const credentials = await this.#find(options);
    return credentials?.origin ?? "anonymous";
  }

  /** Whether the registry has asked for credentials. */
  get wasChallenged(): boolean {
    return this.#scheme !== undefined;
  }

  /** What a token server gave to be used instead of the password; undefined where it gave nothing. */
  async refreshToken(): Promise<string | undefined> {
    return this.#refreshTokens.get(fingerprint(await this.#find({})));
  }

  async #find(options: {
    readonly repository?: string | undefined;
    readonly scopes?: readonly Scope[] | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<Credentials | undefined> {
    const { registry, credentials } = this.#options;
    const { repository, scopes = [], signal } = options;
    return await credentials.find({ registry, repository, writes: isWrite(scopes), signal });
  }

  async #token(
    scheme: AuthScheme & { readonly kind: "bearer" },
    credentials: Credentials | undefined,
    { scopes: asked, repository = "", withBody, signal }: AuthorizeOptions,
  ): Promise<KeptToken> {
    const owner =
      this.#refusedForPull.has(fingerprint(credentials)) && isReadOnly(asked) ? undefined : credentials;
    const scopes = mergeScopes([...asked, ...(this.#demanded.get(repository) ?? [])]);
    const key = fingerprint(owner);
    const now = this.#options.clock.nowMs();
    this.#tokens = this.#tokens.filter((kept) => useUntilMs(kept.receivedMs, kept.token.lifeMs) > now);
    const known = this.#tokens.find(
      (kept) =>
        kept.owner === key &&
        coversScopes(kept.scopes, scopes) &&
        !(withBody === true && isNearEnd(kept, now)),
    );
    if (known !== undefined) return known;
    const related = this.#granted.filter((have) =>
      scopes.some((need) => need.type === have.type && need.name === have.name),
    );
    const wanted = mergeScopes([...scopes, ...related]);
    const flightKey = `${key} ${scheme.realm.href} ${wanted.map(formatScope).sort().join(" ")}`;
    let flight = this.#flights.get(flightKey);
    if (flight === undefined) {
      flight = new SharedWork((until) => this.#fetch(scheme, owner, { scopes: wanted, signal: until }));
      this.#flights.set(flightKey, flight);
    }
    try {
      return await flight.join(signal);
    } finally {
      if (!flight.isAwaited && this.#flights.get(flightKey) === flight) this.#flights.delete(flightKey);
    }
  }

  async #fetch(
    scheme: AuthScheme & { readonly kind: "bearer" },
    credentials: Credentials | undefined,
    { scopes, signal }: { readonly scopes: readonly Scope[]; readonly signal: AbortSignal },
  ): Promise<KeptToken> {
    const { registry, onWarning, offline } = this.#options;
    const send: SendToTokenServer = (request) => this.#options.send({ ...request, signal });
    const key = fingerprint(credentials);
    const request = { registry, realm: scheme.realm, service: scheme.service, scopes, credentials, offline };
    try {
      const token = await fetchToken({ ...request, refreshToken: this.#refreshTokens.get(key) }, send);
      if (token.refreshToken !== undefined) this.#refreshTokens.set(key, token.refreshToken);
      return this.#keep({ owner: key, scopes, token, receivedMs: this.#options.clock.nowMs() });
    } catch (error) {
      signal.throwIfAborted();
      this.#refreshTokens.delete(key);
      if (credentials === undefined || !isRefusal(error) || scopes.length === 0 || !isReadOnly(scopes))
        throw error;
      // A stale login for a registry must not keep public images away.
      let token: Token;
      try {
        token = await fetchToken({ ...request, credentials: undefined }, send);
      } catch {
        throw error;
      }
      this.#refusedForPull.add(key);
      onWarning(`The credentials from ${credentials.origin} were refused by ${registry}; going on without`);
      return this.#keep({
        owner: fingerprint(undefined),
        scopes,
        token,
        receivedMs: this.#options.clock.nowMs(),
      });
    }
  }

  #keep(kept: KeptToken): KeptToken {
    this.#tokens = [kept, ...this.#tokens].slice(0, MAX_TOKENS);
    this.#granted = mergeScopes([...this.#granted, ...kept.scopes]).slice(-MAX_TOKENS);
    return kept;
  }
}

function isNearEnd({ receivedMs, token }: KeptToken, nowMs: number): boolean {
  return receivedMs + token.lifeMs - nowMs < bodyMarginMs(token.lifeMs);
}

function isRefusal(error: unknown): boolean {
  return error instanceof RegistryError && (error.code === "UNAUTHORIZED" || error.code === "DENIED");
}

function fingerprint(credentials: Credentials | undefined): string {
  if (credentials === undefined) return "anonymous";
  return createHash("sha256").update(JSON.stringify(credentials)).digest("base64");
}
