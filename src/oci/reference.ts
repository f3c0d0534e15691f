import { type Digest, digestFault } from "./digest.ts";
import { OciError } from "./error.ts";

/** The name of an image, complete: Docker Hub's defaults are filled in, `latest` is not. */
export interface Reference {
  /** Host with optional port; `docker.io` for Docker Hub. */
  readonly registry: string;
  /** Path without the host, e.g. `library/busybox`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

export const DOCKER_HUB = "docker.io";
const DEFAULT_TAG = "latest";

const OFFICIAL_PREFIX = "library/";
const MAX_REPOSITORY_LENGTH = 255;

const DOMAIN_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const REFERENCE = new RegExp(
  `^(${DOMAIN})/(${PATH_PART}(?:/${PATH_PART})*)` +
    "(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?" +
    "(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$",
);

/**
 * Reads an image name as a person writes it: `busybox`, `user/app:1`, `ghcr.io/owner/app@sha256:…`,
 * `localhost:5000/a/b:c@sha256:…`. The first part is a host when it has a dot, a colon or capitals, or is
 * `localhost`; everything else is on Docker Hub.
 * @throws {OciError} REFERENCE_INVALID
 * @see https://github.com/distribution/reference, whose grammar and messages this follows
 */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw invalid(text, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { registry, rest } = splitRegistry(text);
  const colon = rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  if (path.toLowerCase() !== path) {
    throw invalid(text, `invalid reference format: repository name (${path}) must be lowercase`);
  }
  const match = REFERENCE.exec(`${registry}/${rest}`);
  if (match === null) throw invalid(text, "invalid reference format");
  const [, domain, repository, tag, digest] = match;
  if (domain === undefined || repository === undefined) throw invalid(text, "invalid reference format");
  if (repository.length > MAX_REPOSITORY_LENGTH) {
    throw invalid(text, `repository name must not be more than ${MAX_REPOSITORY_LENGTH} characters`);
  }
  const fault = digest === undefined ? undefined : digestFault(digest);
  if (fault !== undefined) throw invalid(text, fault);
  return {
    registry: domain,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest: digest as Digest }),
  };
}

/** The full form, `registry/repository[:tag][@digest]`: what names are compared and stored by. */
export function formatReference(reference: Reference): string {
  return `${reference.registry}/${reference.repository}${suffix(reference)}`;
}

/** The short form that people know: without `docker.io/` and `library/`. */
export function formatFamiliarReference(reference: Reference): string {
  return `${formatFamiliarName(reference)}${suffix(reference)}`;
}

/** `formatFamiliarReference` without tag and digest. */
export function formatFamiliarName({ registry, repository }: Reference): string {
  if (registry !== DOCKER_HUB) return `${registry}/${repository}`;
  const short = repository.startsWith(OFFICIAL_PREFIX)
    ? repository.slice(OFFICIAL_PREFIX.length)
    : repository;
  return short.includes("/") ? repository : short;
}

/** The reference with tag `latest` where it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference;
  return { ...reference, tag: DEFAULT_TAG };
}

/** What to ask a registry for: a digest wins over a tag, which then says nothing; `latest` where there is neither. */
export function withoutShadowedTag(reference: Reference): Reference {
  if (reference.digest === undefined) return withDefaultTag(reference);
  const { tag: _tag, ...rest } = reference;
  return rest;
}

/** An image as a person may name it on the command line: by name, or by its digest (64 hex digits or `sha256:…`). */
export type AnyReference =
  | { readonly kind: "reference"; readonly reference: Reference }
  | { readonly kind: "digest"; readonly digest: Digest };

/**
 * Like `parseReference`, but takes a bare digest or 64 hex digits as the digest they are.
 * @throws {OciError} REFERENCE_INVALID
 */
export function parseAnyReference(text: string): AnyReference {
  const asDigest = /^[a-f0-9]{64}$/.test(text) ? `sha256:${text}` : text;
  if (digestFault(asDigest) === undefined) return { kind: "digest", digest: asDigest as Digest };
  return { kind: "reference", reference: parseReference(text) };
}

function splitRegistry(text: string): { readonly registry: string; readonly rest: string } {
  const slash = text.indexOf("/");
  if (slash < 0) return { registry: DOCKER_HUB, rest: OFFICIAL_PREFIX + text };
  const first = text.slice(0, slash);
  const others = text.slice(slash + 1);
  const isHub = first === DOCKER_HUB || first === "index.docker.io";
  if (!isHub && isHost(first)) return { registry: first, rest: others };
  const rest = isHub ? others : text;
  return { registry: DOCKER_HUB, rest: rest.includes("/") ? rest : OFFICIAL_PREFIX + rest };
}

function isHost(part: string): boolean {
  return part === "localhost" || /[.:]/.test(part) || part.toLowerCase() !== part;
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

function invalid(text: string, fault: string): OciError {
  return new OciError(
    "REFERENCE_INVALID",
    `Cannot parse reference ${JSON.stringify(text.slice(0, 300))}: ${fault}`,
    {
      hint: /^[a-z][a-z0-9+.-]*:\/\//.test(text)
        ? "An image name has no scheme: write registry.example.com/name:tag"
        : undefined,
    },
  );
}
