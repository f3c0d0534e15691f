import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isObject } from "../../util/is-object.ts";
import { RegistryError } from "../error.ts";
import { eraseFromHelper, type HelperOptions, storeInHelper } from "./helper.ts";
import { credentialKeyFor, hostOfKey, isHostKey, lookupKeys } from "./keys.ts";
import type { Credentials } from "./types.ts";

export interface CredentialStoreOptions extends HelperOptions {
  /** The file to change: Docker's `config.json` or a containers `auth.json`. Made if it is not there. */
  readonly path: string;
}

/** Where credentials went. */
export type StoredIn =
  | { readonly kind: "helper"; readonly helper: string }
  | { readonly kind: "file"; readonly path: string };

/**
 * Stores credentials for a registry: with the helper that the file names for it, else in the file itself (readable by its
 * owner only, but not encrypted). Everything else in the file stays as it is.
 * @throws {RegistryError} CREDENTIALS_UNUSABLE
 */
export async function storeCredentials(
  registry: string,
  { credentials, username }: { readonly credentials: Credentials; readonly username: string },
  options: CredentialStoreOptions,
): Promise<StoredIn> {
  const key = credentialKeyFor(registry);
  const config = await readConfig(options.path);
  const helper = helperFor(config, registry);
  const secret = credentials.kind === "password" ? credentials.password : credentials.token;
  if (helper !== undefined) {
    const name = credentials.kind === "password" ? username : "<token>";
    await storeInHelper(helper, { serverUrl: key, namedIn: options.path, username: name, secret }, options);
    // Other programs tell from an empty entry that there is something to ask the helper for.
    await writeConfig(options.path, withAuth(config, registry, key, {}));
    return { kind: "helper", helper };
  }
  const entry =
    credentials.kind === "password"
      ? { auth: encodeAuth(username, secret) }
      : credentials.kind === "identity-token"
        ? { auth: encodeAuth(username, ""), identitytoken: secret }
        : { registrytoken: secret };
  await writeConfig(options.path, withAuth(config, registry, key, entry));
  return { kind: "file", path: options.path };
}

/**
 * Removes a registry's credentials from helper and file, under every name they may have. False when there were none.
 * @throws {RegistryError} CREDENTIALS_UNUSABLE
 */
export async function removeCredentials(registry: string, options: CredentialStoreOptions): Promise<boolean> {
  const config = await readConfig(options.path);
  const helper = helperFor(config, registry);
  const question = { serverUrl: credentialKeyFor(registry), namedIn: options.path };
  const erased = helper !== undefined && (await eraseFromHelper(helper, question, options));
  const auths = objectIn(config, "auths");
  const left = Object.fromEntries(Object.entries(auths).filter(([key]) => !isKeyOf(key, registry)));
  const removed = Object.keys(left).length < Object.keys(auths).length;
  if (removed) await writeConfig(options.path, { ...config, auths: left });
  return erased || removed;
}

type Config = Readonly<Record<string, unknown>>;

function withAuth(config: Config, registry: string, key: string, entry: Config): Config {
  const others = Object.entries(objectIn(config, "auths")).filter(
    ([name]) => name === key || !isKeyOf(name, registry),
  );
  // An entry that is there keeps its place.
  return { ...config, auths: { ...Object.fromEntries(others), [key]: entry } };
}

/** Keys that name the same registry: other names of Docker Hub, forms with scheme and path. Not those of one repository. */
function isKeyOf(key: string, registry: string): boolean {
  const keys = lookupKeys(registry, undefined);
  return keys.includes(key) || (isHostKey(key) && keys.map(hostOfKey).includes(hostOfKey(key)));
}

function helperFor(config: Config, registry: string): string | undefined {
  const helpers = objectIn(config, "credHelpers");
  const own = lookupKeys(registry, undefined).map((key) => helpers[key]);
  return [...own, config["credsStore"]].find(
    (name): name is string => typeof name === "string" && name !== "",
  );
}

function objectIn(config: Config, name: string): Config {
  const value = config[name];
  return isObject(value) ? value : {};
}

function encodeAuth(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString("base64");
}

async function readConfig(path: string): Promise<Config> {
  let text: string;
  try {
    // Editors of Windows put a mark before the text.
    text = (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw unusable(path, (error as Error).message, error);
  }
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Writing would lose what a person may still want to mend.
  }
  throw unusable(path, "it is no JSON object; mend or remove it first");
}

/** Whole or not at all: a reader sees the old file or the new one. A link stays a link. */
async function writeConfig(path: string, config: Config): Promise<void> {
  let temporary: string | undefined;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const target = await realpath(path).catch(() => path);
    temporary = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(config, undefined, "\t")}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { force: true });
    throw unusable(path, (error as Error).message, error);
  }
}

function unusable(path: string, fault: string, cause?: unknown): RegistryError {
  return new RegistryError("CREDENTIALS_UNUSABLE", `Cannot store credentials in ${path}: ${fault}`, {
    cause,
  });
}
