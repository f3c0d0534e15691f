import type { Digest } from "../../oci/index.ts";

/** Blobs remembered at most: an image has dozens, a mirror job thousands. */
const MAX_DIGESTS = 50_000;

/** Where blobs have been seen during this client's life: saves asking again, and tells what can be mounted. */
export class KnownBlobs {
  readonly #repositories = new Map<string, Set<string>>();

  note(registry: string, repository: string, digest: Digest): void {
    const key = `${registry} ${digest}`;
    const known = this.#repositories.get(key);
    if (known !== undefined) {
      known.add(repository);
      return;
    }
    if (this.#repositories.size >= MAX_DIGESTS) this.#repositories.clear();
    this.#repositories.set(key, new Set([repository]));
  }

  forget(registry: string, repository: string, digest: Digest): void {
    this.#repositories.get(`${registry} ${digest}`)?.delete(repository);
  }

  has(registry: string, repository: string, digest: Digest): boolean {
    return this.#repositories.get(`${registry} ${digest}`)?.has(repository) === true;
  }

  /** Repositories of the registry that have it, as `registry/repository`. */
  origins(registry: string, digest: Digest): readonly string[] {
    return [...(this.#repositories.get(`${registry} ${digest}`) ?? [])].map((name) => `${registry}/${name}`);
  }
}
