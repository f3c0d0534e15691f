import type { SecretSource } from "../../types.ts";
import { readAuthSecret } from "../auth-secret.ts";
import { basicAuthorization, basicAuthorizationOfUrl } from "../basic-authorization.ts";

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
    const header = await readAuthSecret(secrets, `GIT_AUTH_HEADER${suffix}`);
    if (header !== undefined) return { remote: bare, authorization: { scope, header } };
    const token = await readAuthSecret(secrets, `GIT_AUTH_TOKEN${suffix}`);
    if (token !== undefined)
      return { remote: bare, authorization: { scope, header: basicAuthorization("x-access-token", token) } };
  }
  if (user === undefined) return { remote };
  const [name = "", ...password] = user.split(":");
  const header = basicAuthorizationOfUrl(name, password.join(":"));
  return { remote: bare, authorization: { scope: bare, header } };
}
