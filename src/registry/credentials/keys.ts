import { DOCKER_HUB } from "../../oci/index.ts";

/** What Docker's own tools store Docker Hub's credentials under. */
const HUB_KEY = "https://index.docker.io/v1/";

const HUB_NAMES = [
  HUB_KEY,
  "https://index.docker.io/v1",
  "index.docker.io",
  DOCKER_HUB,
  "registry-1.docker.io",
];

/** The name that credentials of a registry are asked and stored under. */
export function credentialKeyFor(registry: string): string {
  return HUB_NAMES.includes(registry) ? HUB_KEY : registry;
}

/**
 * The keys under which a file may have credentials for a repository, best first: the repository, its parents, the
 * host. Docker Hub goes by several names.
 */
export function lookupKeys(registry: string, repository: string | undefined): readonly string[] {
  if (HUB_NAMES.includes(registry)) {
    return [...prefixes(DOCKER_HUB, repository), ...HUB_NAMES.filter((name) => name !== DOCKER_HUB)];
  }
  return prefixes(registry, repository);
}

/** Keys written by older tools: with a scheme, with a path behind the host. Compared after stripping both. */
export function hostOfKey(key: string): string {
  const withoutScheme = key.replace(/^https?:\/\//i, "");
  return withoutScheme.split("/")[0] ?? "";
}

/** Whether a key has a scheme or is nothing but a host: then only its host counts. */
export function isHostKey(key: string): boolean {
  return /^https?:\/\//i.test(key) || !key.includes("/");
}

function prefixes(registry: string, repository: string | undefined): string[] {
  if (repository === undefined || repository === "") return [registry];
  const parts = repository.split("/");
  return [...parts.map((_, i) => `${registry}/${parts.slice(0, parts.length - i).join("/")}`), registry];
}
