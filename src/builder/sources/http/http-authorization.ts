import type { SecretSource } from "../../types.ts";
import { readAuthSecret } from "../auth-secret.ts";
import { basicAuthorizationOfUrl } from "../basic-authorization.ts";

/**
 * What to send as Authorization to a URL's own host: the secret HTTP_AUTH_TOKEN_HOST as a bearer token, else
 * HTTP_AUTH_HEADER_HOST as it is, else the URL's user and password. HOST is without a port.
 */
export async function authorizationFor(
  url: URL,
  secrets: readonly SecretSource[],
): Promise<string | undefined> {
  const token = await readAuthSecret(secrets, `HTTP_AUTH_TOKEN_${url.hostname}`);
  if (token !== undefined) return `Bearer ${token}`;
  const header = await readAuthSecret(secrets, `HTTP_AUTH_HEADER_${url.hostname}`);
  if (header !== undefined) return header;
  if (url.username === "" && url.password === "") return undefined;
  return basicAuthorizationOfUrl(url.username, url.password);
}
