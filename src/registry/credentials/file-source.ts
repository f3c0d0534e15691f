import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { orAborted } from "../../util/or-aborted.ts";
import { RegistryError } from "../error.ts";
import { isAbsence } from "../hosts/settings-file.ts";
import { cleanText } from "../redact.ts";
import {
  type AuthEntry,
  type CredentialFile,
  type CredentialLocation,
  credentialsOf,
  locateCredentials,
  parseCredentialFile,
  parseLegacyFile,
} from "./config-file.ts";
import { askHelper, type HelperOptions } from "./helper.ts";
import { credentialKeyFor } from "./keys.ts";
import type { CredentialSource, Credentials } from "./types.ts";

/** Where to look for credentials. Everything that depends on the environment is said here. */
export interface CredentialLocations extends HelperOptions {
  /** The value of DOCKER_AUTH_CONFIG: a config.json, of which only `auths` counts. */
  readonly inlineConfig?: string | undefined;
  /** Files in order of precedence; those that do not exist are skipped. */
  readonly files: readonly CredentialFilePath[];
  /** Told when a helper fails and the search goes on without it. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

export interface CredentialFilePath {
  readonly path: string;
  readonly format: "config" | "legacy";
  /** The user named this very file, so it must be there. */
  readonly required?: boolean;
}

/** The files that Docker's and the containers tools read, best first, for an environment. */
export function credentialFiles(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): readonly CredentialFilePath[] {
  const { REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, XDG_CONFIG_HOME, DOCKER_CONFIG } = env;
  const config = (path: string, required = false): CredentialFilePath => ({
    path,
    format: "config",
    ...(required ? { required } : {}),
  });
  const isSet = (value: string | undefined): value is string => value !== undefined && value !== "";
  return [
    ...(isSet(REGISTRY_AUTH_FILE) ? [config(REGISTRY_AUTH_FILE, true)] : []),
    ...(isSet(XDG_RUNTIME_DIR) ? [config(join(XDG_RUNTIME_DIR, "containers/auth.json"))] : []),
    config(join(isSet(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(home, ".config"), "containers/auth.json")),
    config(join(isSet(DOCKER_CONFIG) ? DOCKER_CONFIG : join(home, ".docker"), "config.json")),
    { path: join(home, ".dockercfg"), format: "legacy" },
  ];
}

/** A helper's answer, if only that it has failed. */
type HelperAnswer = { readonly credentials: Credentials | undefined } | { readonly failure: RegistryError };

interface LoadedFile {
  readonly origin: string;
  readonly file: CredentialFile;
}

/**
 * Credentials from files and helpers. Per registry the first place that has some wins, so that a variable with one
 * registry does not hide a file with the others. Files are read once, helpers run once for each server.
 */
export function createFileCredentials(locations: CredentialLocations): CredentialSource {
  let loaded: Promise<readonly LoadedFile[]> | undefined;
  const asked = new Map<string, Promise<HelperAnswer>>();
  const told = new Set<string>();

  const warnOnce = (text: string): void => {
    if (told.has(text)) return;
    told.add(text);
    locations.onWarning?.(text);
  };

  async function fromHelper(
    helper: string,
    namedIn: string,
    { registry, signal }: { readonly registry: string; readonly signal?: AbortSignal | undefined },
  ): Promise<HelperAnswer> {
    const serverUrl = credentialKeyFor(registry);
    const id = `${helper} ${serverUrl}`;
    let answer = asked.get(id);
    if (answer === undefined) {
      answer = askHelper(helper, { serverUrl, namedIn }, locations).then(
        (credentials) => ({ credentials }),
        (error: unknown) => {
          // Ctrl-C ends the helper too; that is none of its faults.
          if (signal?.aborted === true) asked.delete(id);
          if (signal?.aborted === true || !(error instanceof RegistryError)) throw signal?.reason ?? error;
          return { failure: error };
        },
      );
      // Whoever waits gets the error; if all have given up it is nobody's.
      answer.catch(() => undefined);
      asked.set(id, answer);
    }
    return await orAborted(answer, signal);
  }

  function fromEntry(entry: AuthEntry, key: string, origin: string): Credentials | undefined {
    if (entry.isDamaged === true) {
      warnOnce(
        `Cannot read the entry for ${cleanText(key, 100)} in ${origin}: its "auth" is no base64 of a name and a password`,
      );
    }
    return credentialsOf(entry, origin);
  }

  return {
    async find({ registry, repository, writes, signal }) {
      loaded ??= loadFiles(locations);
      let failure: RegistryError | undefined;
      let found: Credentials | undefined;
      for (const location of located(await loaded, { registry, repository })) {
        if (location.kind === "entry") {
          found = fromEntry(location.entry, location.key, location.origin);
        } else {
          const answer = await fromHelper(location.helper, location.origin, { registry, signal });
          if ("failure" in answer) failure ??= answer.failure;
          else found = answer.credentials;
        }
        if (found !== undefined) break;
      }
      // Reading may do without. Writing would only be refused, and for a reason that is not the real one.
      if (failure !== undefined && found === undefined && writes === true) throw failure;
      if (failure !== undefined) warnOnce(failure.message);
      return found;
    },
  };
}

function located(
  files: readonly LoadedFile[],
  { registry, repository }: { readonly registry: string; readonly repository: string | undefined },
): readonly (CredentialLocation & { readonly origin: string })[] {
  return files.flatMap(({ file, origin }) =>
    locateCredentials(file, registry, repository).map((location) => ({ ...location, origin })),
  );
}

async function loadFiles({
  inlineConfig,
  files,
  onWarning,
}: CredentialLocations): Promise<readonly LoadedFile[]> {
  const loaded: LoadedFile[] = [];
  if (inlineConfig !== undefined && inlineConfig.trim() !== "") {
    const origin = "DOCKER_AUTH_CONFIG";
    const { auths } = parseCredentialFile(inlineConfig, origin);
    loaded.push({ origin, file: { auths, credHelpers: new Map(), credsStore: undefined } });
  }
  for (const { path, format, required } of files) {
    const text = await readIfThere(path, required === true, onWarning);
    if (text === undefined) continue;
    try {
      const file = format === "legacy" ? parseLegacyFile(text, path) : parseCredentialFile(text, path);
      loaded.push({ origin: path, file });
    } catch (error) {
      // A broken file that nobody asked for by name must not keep public images away.
      if (required === true || !(error instanceof RegistryError)) throw error;
      onWarning?.(error.message);
    }
  }
  return loaded;
}

async function readIfThere(
  path: string,
  required: boolean,
  onWarning: ((text: string) => void) | undefined,
): Promise<string | undefined> {
  try {
    // Editors of Windows put a mark before the text.
    const text = (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
    return text.trim() === "" ? undefined : text;
  } catch (error) {
    if (!required && isAbsence(error)) return undefined;
    const fault =
      (error as NodeJS.ErrnoException).code === "ENOENT"
        ? "there is no such file"
        : cleanText(String((error as Error).message));
    const message = `Cannot read credentials from ${path}: ${fault}`;
    if (required)
      throw new RegistryError("CREDENTIALS_UNUSABLE", message, {
        cause: error,
        hint: "REGISTRY_AUTH_FILE names it: unset that, or make the file with strake login",
      });
    // Another user's file, say: whether it matters shows when a registry asks for credentials.
    onWarning?.(message);
    return undefined;
  }
}
