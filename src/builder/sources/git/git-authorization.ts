import { readFile } from "node:fs/promises";
import type { SecretSource } from "../../types.ts";

/** What is sent with requests below an address. */
export interface GitAuthorization {
  /** The address as git's configuration matches it: `https://github.com/`. */
  readonly scope: string;
  readonly header: string;
}

const GITHUB = ["https://github.com/", "https://www.github.com/"];

/**
 * A remote without its credentials, and what to send instead. Secrets of the build count before the address's own
 * user and password: GIT_AUTH_HEADER.HOST, GIT_AUTH_TOKEN.HOST, then both without a host. A secret with a host goes to
 * all of that host, submodules included, another one to this repository only (on GitHub to all of GitHub).
 * @see https://docs.docker.com/build/building/secrets/#git-authentication-for-remote-contexts
 */
export async function authorizeGit(
  remote: string,
  secrets: readonly SecretSource[],
): Promise<{ readonly remote: string; readonly authorization?: GitAuthorization }> {
  const parts = /^(https?:\/\/)(?:([^/@]*)@)?([^/]*)(.*)$/s.exec(remote);
  if (parts === null) return { remote };
  const [, scheme = "", user, host = "", path = ""] = parts;
  const bare = `${scheme}${host}${path}`;
  for (const suffix of [`.${host}`, ""]) {
    const scope =
      suffix === "" ? (GITHUB.find((prefix) => bare.startsWith(prefix)) ?? bare) : `${scheme}${host}/`;
    const header = await readSecret(secrets, `GIT_AUTH_HEADER${suffix}`);
    if (header !== undefined) return { remote: bare, authorization: { scope, header } };
    const token = await readSecret(secrets, `GIT_AUTH_TOKEN${suffix}`);
    if (token !== undefined)
      return { remote: bare, authorization: { scope, header: basic(`x-access-token:${token}`) } };
  }
  if (user === undefined) return { remote };
  const [name = "", ...password] = user.split(":");
  const credentials = `${decode(name)}:${decode(password.join(":"))}`;
  return { remote: bare, authorization: { scope: bare, header: basic(credentials) } };
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

/** A secret's text without the line's end that files have; undefined where none of that name was given. */
async function readSecret(secrets: readonly SecretSource[], id: string): Promise<string | undefined> {
  const secret = secrets.find((candidate) => candidate.id === id);
  if (secret === undefined) return undefined;
  const bytes = secret.from.kind === "env" ? secret.from.value : await readFile(secret.from.path);
  const text = Buffer.from(bytes).toString("utf8").trim();
  return text === "" ? undefined : text;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
