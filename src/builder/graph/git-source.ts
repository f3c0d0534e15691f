import { posix } from "node:path";
import { BuildError } from "../error.ts";

/** A git repository as a source: `https://host/repo.git#ref:subdir`, `git@host:repo`, `git://…`, `ssh://…`. */
export interface GitSource {
  /** What git is given; may hold credentials. */
  readonly remote: string;
  /** A branch, tag, full reference or commit; the default branch when absent. */
  readonly ref?: string;
  /** Without a leading slash, cleaned. */
  readonly subdir?: string;
  /** The commit that must be found, or its beginning, in hex. */
  readonly checksum?: string;
  readonly keepGitDir?: boolean;
  /** Submodules are fetched unless this is false. */
  readonly submodules?: boolean;
  /** Times of files: of the commit, or of the moment they were written. */
  readonly mtime?: "commit" | "checkout";
  /** Takes `checksum` without asking what the reference means. */
  readonly fetchByCommit?: boolean;
}

const PROTOCOLS: ReadonlySet<string> = new Set(["http", "https", "ssh", "git"]);
const URL_PARTS = /^([a-z0-9]+):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is;
const SCP_PARTS = /^([\w-]+@[A-Za-z0-9.-]+:.*?)(?:\?(.*?))?(?:#(.*))?$/;

/**
 * The repository that a source names; undefined for paths and for URLs of plain files. An http URL names one when its
 * path ends in `.git`.
 * @param allowShorthand whether `github.com/user/repo` is one: for contexts it is, in ADD it is a path
 * @throws {BuildError} DOCKERFILE_INVALID for a query that means nothing
 * @see https://docs.docker.com/build/concepts/context/#git-repositories
 */
export function parseGitSource(
  text: string,
  { allowShorthand = false }: { readonly allowShorthand?: boolean } = {},
): GitSource | undefined {
  const isShorthand = allowShorthand && text.startsWith("github.com/");
  const url = URL_PARTS.exec(isShorthand ? `https://${text}` : text);
  if (url === null) {
    const scp = /^[a-z0-9]+:\/\//i.test(text) ? null : SCP_PARTS.exec(text);
    if (scp === null || hasControls(text)) return undefined;
    return sourceOf(scp[1] ?? "", { query: scp[2], fragment: scp[3] });
  }
  const [, scheme = "", host = "", path = "", query, fragment] = url;
  if (!PROTOCOLS.has(scheme.toLowerCase()) || hasControls(text)) return undefined;
  const isHttp = /^https?$/i.test(scheme);
  if (isHttp && !isShorthand && !path.endsWith(".git")) return undefined;
  return sourceOf(`${scheme.toLowerCase()}://${host}${path}`, { query, fragment: decode(fragment) });
}

function sourceOf(
  remote: string,
  { query, fragment = "" }: { readonly query: string | undefined; readonly fragment: string | undefined },
): GitSource {
  const colon = fragment.indexOf(":");
  const given: Draft = {
    remote,
    ref: colon < 0 ? fragment : fragment.slice(0, colon),
    subdir: colon < 0 ? "" : cleanSubdir(fragment.slice(colon + 1)),
  };
  if (query !== undefined && query !== "") applyQuery(given, query);
  if (given.ref.startsWith("-")) throw invalid(`invalid git ref "${given.ref}"`);
  const { ref, subdir: written, ...rest } = given;
  const subdir = cleanSubdir(written);
  return { ...rest, ...(ref === "" ? {} : { ref }), ...(subdir === "" ? {} : { subdir }) };
}

type Draft = { -readonly [Key in keyof GitSource]: GitSource[Key] } & { ref: string; subdir: string };

const FLAGS: ReadonlySet<string> = new Set(["submodules", "keep-git-dir", "fetch-by-commit"]);

function applyQuery(draft: Draft, query: string): void {
  const values = new URLSearchParams(query);
  let tag = "";
  let branch = "";
  for (const key of new Set(values.keys())) {
    const [value = "", ...more] = values.getAll(key);
    if (more.length > 0) throw invalid(`query "${key}" has multiple values`);
    if (value === "" && !FLAGS.has(key)) throw invalid(`query "${key}" has no value`);
    switch (key) {
      case "ref":
        draft.ref = agreed("ref", draft.ref, value);
        break;
      case "tag":
        tag = value;
        break;
      case "branch":
        branch = value;
        break;
      case "subdir":
        draft.subdir = agreed("subdir", draft.subdir, value);
        break;
      case "checksum":
      case "commit":
        draft.checksum = value;
        break;
      case "keep-git-dir":
        draft.keepGitDir = flag(key, value);
        break;
      case "submodules":
        draft.submodules = flag(key, value);
        break;
      case "fetch-by-commit":
        draft.fetchByCommit = flag(key, value);
        break;
      case "mtime":
        if (value !== "commit" && value !== "checkout")
          throw invalid(`invalid mtime value: "${value}" (must be "checkout" or "commit")`);
        draft.mtime = value;
        break;
      default:
        throw invalid(`unexpected query "${key}"`);
    }
  }
  if (tag !== "") draft.ref = agreed("ref", draft.ref, qualified(tag, "refs/tags/"));
  if (tag !== "" && branch !== "") throw invalid("branch conflicts with tag");
  if (branch !== "") draft.ref = agreed("ref", draft.ref, qualified(branch, "refs/heads/"));
}

function agreed(what: string, known: string, value: string): string {
  if (known !== "" && known !== value) throw invalid(`${what} conflicts: "${known}" vs "${value}"`);
  return value;
}

function qualified(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name : `${prefix}${name}`;
}

function flag(key: string, value: string): boolean {
  const parsed = value === "" ? true : parseBoolean(value);
  if (parsed === undefined) throw invalid(`invalid ${key} value: "${value}"`);
  return parsed;
}

/** A boolean as Go's programs read it; undefined for anything else. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}

function cleanSubdir(text: string): string {
  return posix.normalize(`/${text}`).replace(/^\/+|\/+$/g, "");
}

function decode(fragment: string | undefined): string | undefined {
  if (fragment === undefined) return undefined;
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

function hasControls(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text);
}

function invalid(message: string): BuildError {
  return new BuildError("DOCKERFILE_INVALID", message, {
    hint: "A repository is URL.git#REF:FOLDER, or URL.git?ref=REF&subdir=FOLDER; other keys are tag, branch, checksum, keep-git-dir, submodules, mtime and fetch-by-commit",
  });
}
