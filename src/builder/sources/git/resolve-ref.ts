import { nearest } from "../../../util/nearest.ts";
import { BuildError } from "../../error.ts";
import type { GitSource } from "../../graph/git-source.ts";
import { redactCredentials } from "../../redact-url.ts";

/** What a reference means right now. */
export interface ResolvedRef {
  /** `refs/heads/main`, `refs/tags/v1`; undefined for a commit that was named by its ID. */
  readonly ref?: string;
  /** The object it points at: a commit, or an annotated tag. */
  readonly object: string;
  /** The commit. Where `object` was named by its ID it may turn out to be a tag's. */
  readonly commit: string;
}

const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

function isObjectId(text: string): boolean {
  return OBJECT_ID.test(text);
}

/** What can be told without asking the remote: a commit is a commit. @throws {BuildError} DOCKERFILE_INVALID */
export function resolveWithoutAsking(source: GitSource): ResolvedRef | undefined {
  const { ref, checksum, fetchByCommit } = source;
  if (checksum !== undefined && !/^[0-9a-fA-F]+$/.test(checksum))
    throw invalid(`invalid checksum ${checksum} for Git URL, expected hex commit hash`);
  if (ref !== undefined && isObjectId(ref)) {
    checkChecksum(source, [ref]);
    return { object: ref, commit: ref };
  }
  if (fetchByCommit !== true) return undefined;
  if (checksum === undefined) throw invalid("fetch-by-commit requires a checksum or a commit SHA ref");
  if (!isObjectId(checksum))
    throw invalid(`fetch-by-commit requires a full commit SHA checksum, got "${checksum}"`);
  const full = ref === undefined || ref.startsWith("refs/") ? ref : `refs/heads/${ref}`;
  return { object: checksum, commit: checksum, ...(full === undefined ? {} : { ref: full }) };
}

/** The arguments of `git ls-remote` that list what `pickRef` looks at. */
export function lsRemoteArguments(remote: string, ref: string | undefined): readonly string[] {
  return ref === undefined
    ? ["ls-remote", "--symref", "--", remote, "HEAD"]
    : ["ls-remote", "--", remote, ref, `${ref}^{}`];
}

/**
 * Picks from what the remote listed. A branch is preferred to a tag of the same name, as `git checkout` does.
 * @throws {BuildError} DOWNLOAD_FAILED when the reference is not there, or is not what `checksum` says
 */
export function pickRef(source: GitSource, listing: string): ResolvedRef {
  const { ref } = source;
  const objects = parseListing(listing);
  if (ref === undefined) return pickHead(source, listing, objects);
  const candidates = [
    `refs/${ref.replace(/^refs\//, "")}`,
    `refs/heads/${ref.replace(/^refs\/heads\//, "")}`,
    `refs/tags/${ref.replace(/^refs\/tags\//, "")}`,
  ];
  const found = candidates.find((candidate) => objects.has(candidate));
  if (found === undefined) throw missingRef(source, []);
  const object = objects.get(found) as string;
  const commit = objects.get(`${found}^{}`) ?? object;
  checkChecksum(source, [object, commit]);
  return { ref: found, object, commit };
}

/** The error for a reference that is not there, with the nearest of those that are. */
export function missingRef(source: GitSource, listings: readonly string[]): BuildError {
  const names = listings
    .flatMap((listing) => [...parseListing(listing).keys()])
    .filter((name) => !name.endsWith("^{}"));
  const short = new Map(names.map((name) => [name.replace(/^refs\/(heads|tags)\//, ""), name]));
  const wanted = source.ref ?? "HEAD";
  const close = nearest(wanted.replace(/^refs\/(heads|tags)\//, ""), [...short.keys()]);
  const hint = /^[0-9a-f]{7,63}$/.test(wanted)
    ? "A commit is named by all of its 40 digits"
    : close !== undefined
      ? `Did you mean "${close}"?`
      : names.length === 0
        ? undefined
        : `It has ${[...short.keys()]
            .filter((name) => name !== "HEAD" && !name.startsWith("refs/"))
            .slice(0, 10)
            .join(", ")}`;
  return new BuildError(
    "DOWNLOAD_FAILED",
    `Cannot use git repository "${redactCredentials(source.remote)}": repository does not contain ref ${wanted}`,
    { hint },
  );
}

function pickHead(source: GitSource, listing: string, objects: ReadonlyMap<string, string>): ResolvedRef {
  const object = objects.get("HEAD");
  if (object === undefined)
    throw new BuildError(
      "DOWNLOAD_FAILED",
      `Cannot use git repository "${redactCredentials(source.remote)}": could not find default branch for repository`,
      { hint: "The repository may be empty; else name a branch: URL#BRANCH" },
    );
  checkChecksum(source, [object]);
  const branch = /^ref: (refs\/\S+)\tHEAD$/m.exec(listing)?.[1];
  return { object, commit: object, ...(branch === undefined ? {} : { ref: branch }) };
}

function parseListing(listing: string): ReadonlyMap<string, string> {
  const objects = new Map<string, string>();
  for (const line of listing.split("\n")) {
    const [object = "", name] = line.split("\t");
    if (name !== undefined && isObjectId(object)) objects.set(name, object);
  }
  return objects;
}

/** @throws {BuildError} DOWNLOAD_FAILED */
function checkChecksum({ checksum, remote }: GitSource, ids: readonly string[]): void {
  if (checksum === undefined || ids.some((id) => id.startsWith(checksum.toLowerCase()))) return;
  throw new BuildError(
    "DOWNLOAD_FAILED",
    `Cannot use git repository "${redactCredentials(remote)}": expected checksum to match ${checksum}, got ${[...new Set(ids)].join(" or ")}`,
    { hint: "The reference is at another commit than the one that the checksum was made for" },
  );
}

function invalid(message: string): BuildError {
  return new BuildError("DOCKERFILE_INVALID", message);
}
