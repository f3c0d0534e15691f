import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Members of `proxies.default` in Docker's configuration, and the build arguments that they become. */
const NAMES: readonly (readonly [string, string])[] = [
  ["httpProxy", "HTTP_PROXY"],
  ["httpsProxy", "HTTPS_PROXY"],
  ["ftpProxy", "FTP_PROXY"],
  ["noProxy", "NO_PROXY"],
  ["allProxy", "ALL_PROXY"],
];

/**
 * The proxies that Docker's configuration file gives to every build, as build arguments in both spellings.
 * @see https://docs.docker.com/engine/cli/proxy/
 */
export async function readDockerProxies({
  variables,
  home,
  warn,
}: {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly warn: (message: string) => void;
}): Promise<Readonly<Record<string, string>>> {
  const path = join(variables["DOCKER_CONFIG"] || join(home, ".docker"), "config.json");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text?.includes('"proxies"') !== true) return {};
  let proxies: unknown;
  try {
    proxies = (JSON.parse(text) as { readonly proxies?: { readonly default?: unknown } }).proxies?.default;
  } catch {
    warn(`The proxies in "${path}" are not used: it is no JSON`);
    return {};
  }
  if (typeof proxies !== "object" || proxies === null) return {};
  const given = proxies as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    NAMES.flatMap(([member, name]) => {
      const value = given[member];
      if (typeof value !== "string" || value === "") return [];
      return [[name, value] as const, [name.toLowerCase(), value] as const];
    }),
  );
}
