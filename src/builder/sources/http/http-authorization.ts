import { readFile } from "node:fs/promises";
import type { SecretSource } from "../../types.ts";

/**
 * What to send as Authorization to a URL's own host: the secret HTTP_AUTH_TOKEN_HOST as a bearer token, else
 * HTTP_AUTH_HEADER_HOST as it is, else the URL's user and password. HOST is without a port.
 */
export async function authorizationFor(
  url: URL,
  secrets: readonly SecretSource[],
): Promise<string | undefined> {
  const token = await readSecret(secrets, `HTTP_AUTH_TOKEN_${url.hostname}`);
  if (token !== undefined) return `Bearer ${token}`;
  const header = await readSecret(secrets, `HTTP_AUTH_HEADER_${url.hostname}`);
  if (header !== undefined) return header;
  if (url.username === "" && url.password === "") return undefined;
  const credentials = `${decode(url.username)}:${decode(url.password)}`;
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

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
