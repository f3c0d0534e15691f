import { isObject } from "../../util/is-object.ts";
import { RegistryError } from "../error.ts";
import { hostOfKey, isHostKey, lookupKeys } from "./keys.ts";
import type { Credentials } from "./types.ts";

/** A credentials file of Docker or of the containers tools, parsed. */
export interface CredentialFile {
  readonly auths: ReadonlyMap<string, AuthEntry>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
}

export interface AuthEntry {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
  /** There is something that cannot be read, and nothing else. */
  readonly isDamaged?: boolean;
}

/** Where a file's credentials for a registry are: in it, or in the care of a helper program. */
export type CredentialLocation =
  | { readonly kind: "entry"; readonly key: string; readonly entry: AuthEntry }
  | { readonly kind: "helper"; readonly helper: string };

/**
 * Parses `config.json` or `auth.json`. Unknown members are ignored, entries that cannot be read left out.
 * @throws {RegistryError} CREDENTIALS_UNUSABLE when it is no JSON object; the text is not shown
 */
export function parseCredentialFile(text: string, origin: string): CredentialFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable(origin, "it is not JSON");
  }
  if (!isObject(value)) throw unusable(origin, "it is no JSON object");
  const { auths, credHelpers, credsStore } = value;
  return {
    auths: new Map(
      Object.entries(isObject(auths) ? auths : {}).flatMap(([key, entry]) => {
        const parsed = parseEntry(entry);
        return parsed === undefined ? [] : [[key, parsed] as const];
      }),
    ),
    credHelpers: new Map(
      Object.entries(isObject(credHelpers) ? credHelpers : {}).flatMap(([key, helper]) =>
        typeof helper === "string" && helper !== "" ? [[key, helper] as const] : [],
      ),
    ),
    credsStore: typeof credsStore === "string" && credsStore !== "" ? credsStore : undefined,
  };
}

/** Reads the older `.dockercfg`, which is the `auths` of today without a name around them. */
export function parseLegacyFile(text: string, origin: string): CredentialFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable(origin, "it is not JSON");
  }
  return parseCredentialFile(JSON.stringify({ auths: value }), origin);
}

/** Where the file has credentials for a registry: its own helper, then an entry, then the helper for all. */
export function locateCredentials(
  file: CredentialFile,
  registry: string,
  repository: string | undefined,
): readonly CredentialLocation[] {
  const keys = lookupKeys(registry, repository);
  const found: CredentialLocation[] = [];
  for (const key of keys) {
    const helper = file.credHelpers.get(key);
    if (helper !== undefined) found.push({ kind: "helper", helper });
  }
  if (found.length === 0 && file.credsStore !== undefined)
    found.push({ kind: "helper", helper: file.credsStore });
  const exact = keys.find((key) => file.auths.has(key));
  const hosts = keys.filter(isHostKey).map(hostOfKey);
  const key =
    exact ??
    [...file.auths.keys()].find((candidate) => isHostKey(candidate) && hosts.includes(hostOfKey(candidate)));
  const entry = key === undefined ? undefined : file.auths.get(key);
  if (key !== undefined && entry !== undefined) found.push({ kind: "entry", key, entry });
  return found;
}

/** What an entry means; undefined when it is an empty one, as helpers leave behind. */
export function credentialsOf(entry: AuthEntry, origin: string): Credentials | undefined {
  const { username, password, identityToken, registryToken } = entry;
  if (registryToken !== undefined) return { kind: "registry-token", token: registryToken, origin };
  if (identityToken !== undefined) return { kind: "identity-token", token: identityToken, origin };
  if (username === "<token>" && password !== undefined)
    return { kind: "identity-token", token: password, origin };
  if (username === undefined || password === undefined) return undefined;
  return { kind: "password", username, password, origin };
}

function parseEntry(value: unknown): AuthEntry | undefined {
  if (!isObject(value)) return undefined;
  const text = (name: string): string | undefined => {
    const member = value[name];
    return typeof member === "string" && member !== "" ? member : undefined;
  };
  const decoded = decodeAuth(text("auth"));
  const username = decoded?.username ?? text("username");
  const password = decoded?.password ?? text("password");
  const identityToken = text("identitytoken");
  const registryToken = text("registrytoken");
  const hasOther = password !== undefined || identityToken !== undefined || registryToken !== undefined;
  return {
    ...(text("auth") !== undefined && decoded === undefined && !hasOther ? { isDamaged: true } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(identityToken === undefined ? {} : { identityToken }),
    ...(registryToken === undefined ? {} : { registryToken }),
  };
}

/** base64 of `user:password`; the password may have colons. Some tools leave NULs at the end. */
function decodeAuth(
  auth: string | undefined,
): { readonly username: string; readonly password: string } | undefined {
  if (auth === undefined) return undefined;
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon <= 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}

function unusable(origin: string, fault: string): RegistryError {
  return new RegistryError("CREDENTIALS_UNUSABLE", `Cannot read credentials from ${origin}: ${fault}`);
}
