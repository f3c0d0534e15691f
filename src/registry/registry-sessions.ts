import type { CredentialSource } from "./credentials/types.ts";
import { RegistryError } from "./error.ts";
import { HostSession, type SessionDeps } from "./host-session.ts";
import type { HostConfig, HostConfigSource, Mirror } from "./hosts/types.ts";
import { impatient } from "./transport/retry.ts";

/** A mirror whose connection failed twice in a row is left alone this long. */
const BENCH_MS = 60_000;
const FAILURES_BEFORE_BENCH = 2;

interface MirrorSession {
  readonly session: HostSession;
  readonly pull: Mirror["pull"];
  failures: number;
  benchedUntilMs: number;
}

interface RegistryEntry {
  readonly upstream: HostSession;
  readonly mirrors: readonly MirrorSession[];
}

/** What is wanted of a registry: that decides which of its mirrors may be asked. */
export type Want = "blob" | "manifest-by-digest" | "manifest-by-tag";

/** The sessions of every registry in use, made when first needed. */
export class RegistrySessions {
  readonly #hosts: HostConfigSource;
  readonly #deps: SessionDeps;
  readonly #configs = new Map<string, Promise<HostConfig>>();
  readonly #entries = new Map<HostConfig, RegistryEntry>();

  constructor(hosts: HostConfigSource, deps: SessionDeps) {
    this.#hosts = hosts;
    this.#deps = deps;
  }

  /** The registry itself, for everything that changes it. @throws {RegistryError} CONFIG_INVALID */
  async upstream(registry: string, repository?: string): Promise<HostSession> {
    return (await this.#entry(registry, repository)).upstream;
  }

  /** The registry itself with other credentials, and with nothing shared. */
  async loginSession(registry: string, credentials: CredentialSource): Promise<HostSession> {
    const { upstream } = await this.#hosts.find(registry);
    return new HostSession(registry, upstream, { ...this.#deps, credentials, offline: true });
  }

  /** Whom to ask, in order: mirrors that may have it, then the registry itself. */
  async readers(registry: string, repository: string, want: Want): Promise<readonly HostSession[]> {
    const { upstream, mirrors } = await this.#entry(registry, repository);
    const nowMs = this.#deps.clock.nowMs();
    const usable = mirrors.filter(
      ({ pull, benchedUntilMs }) =>
        benchedUntilMs <= nowMs &&
        !(want === "manifest-by-tag" && pull === "digest-only") &&
        !(want === "manifest-by-digest" && pull === "tag-only"),
    );
    return [...usable.map(({ session }) => session), upstream];
  }

  /**
   * Asks one after the other until one can serve. A mirror's failure, whatever it is, leads to the next; the registry's
   * own is final.
   */
  async read<T>(
    { registry, repository }: { readonly registry: string; readonly repository: string },
    want: Want,
    action: (session: HostSession) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { upstream, mirrors } = await this.#entry(registry, repository);
    for (const session of await this.readers(registry, repository, want)) {
      if (session === upstream) break;
      const mirror = mirrors.find((candidate) => candidate.session === session);
      try {
        const result = await action(session);
        if (mirror !== undefined) mirror.failures = 0;
        return result;
      } catch (error) {
        signal?.throwIfAborted();
        if (mirror !== undefined) this.#noteFailure(mirror, error);
        session.warn(`Mirror ${session.endpoint.host} could not serve ${registry}: ${textOf(error)}`);
      }
    }
    return await action(upstream);
  }

  #noteFailure(mirror: MirrorSession, error: unknown): void {
    const isTransport =
      error instanceof RegistryError && (error.code === "UNREACHABLE" || error.code === "TIMED_OUT");
    if (!isTransport) return;
    mirror.failures++;
    if (mirror.failures < FAILURES_BEFORE_BENCH) return;
    mirror.failures = 0;
    mirror.benchedUntilMs = this.#deps.clock.nowMs() + BENCH_MS;
  }

  async #entry(registry: string, repository?: string): Promise<RegistryEntry> {
    const key = `${registry} ${repository ?? ""}`;
    let finding = this.#configs.get(key);
    if (finding === undefined) {
      finding = this.#hosts.find(registry, repository);
      this.#configs.set(key, finding);
      finding.catch(() => this.#configs.delete(key));
    }
    const config = await finding;
    let entry = this.#entries.get(config);
    if (entry === undefined) {
      entry = this.#create(registry, config);
      this.#entries.set(config, entry);
    }
    return entry;
  }

  #create(registry: string, { upstream, mirrors = [], blocked }: HostConfig): RegistryEntry {
    if (blocked !== undefined) {
      throw new RegistryError("CONFIG_INVALID", `Cannot use registry ${registry}: ${blocked}`, { registry });
    }
    const mirrorDeps = { ...this.#deps, policy: impatient(this.#deps.policy) };
    return {
      upstream: new HostSession(registry, upstream, this.#deps),
      mirrors: mirrors.map((mirror) => ({
        session: new HostSession(registry, mirror, mirrorDeps),
        pull: mirror.pull,
        failures: 0,
        benchedUntilMs: 0,
      })),
    };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
