const DOMAIN_PART = "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)";
const DOMAIN = `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const REFERENCE = new RegExp(
  `^(?:${DOMAIN}/)?(${PATH_PART}(?:/${PATH_PART})*)(?::[\\w][\\w.-]{0,127})?(?:@([^@]+))?$`,
);
/** Hex digits by algorithm. */
const DIGESTS: ReadonlyMap<string, number> = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
]);
/** Of the repository, its registry not counted. */
const MAX_NAME = 255;

/**
 * Whether a text can be an image's name in FROM: `[registry/]repository[:tag][@digest]`, the repository in lower case, and
 * not 64 hex digits, which would be an image's ID.
 *
 * This folder may not know about images, and of references it need only know this much.
 */
export function isImageName(text: string): boolean {
  if (/^[a-f0-9]{64}$/.test(text)) return false;
  const [, repository, digest] = REFERENCE.exec(withRegistry(text)) ?? [];
  if (repository === undefined || repository.length > MAX_NAME) return false;
  return digest === undefined || isDigest(digest);
}

/** A first part that cannot be a registry belongs to Docker Hub's repository. */
function withRegistry(text: string): string {
  const slash = text.indexOf("/");
  if (slash === -1) return `docker.io/library/${text}`;
  const first = text.slice(0, slash);
  const isRegistry = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  if (!isRegistry) return `docker.io/${text}`;
  if (first !== "docker.io" && first !== "index.docker.io") return text;
  const rest = text.slice(slash + 1);
  return `docker.io/${rest.includes("/") ? "" : "library/"}${rest}`;
}

function isDigest(text: string): boolean {
  const [, algorithm = "", hex = ""] = /^([a-z0-9]+):([a-f0-9]+)$/.exec(text) ?? [];
  return DIGESTS.get(algorithm) === hex.length;
}
