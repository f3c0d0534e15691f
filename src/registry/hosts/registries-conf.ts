import { join } from "node:path";
import { RegistryError } from "../error.ts";
import { stripPort } from "../transport/net-address.ts";
import { listFolder, parseConfigToml, readConfigFile } from "./settings-file.ts";
import { isTable, type TomlTable, type TomlValue } from "./toml.ts";
import type { Mirror } from "./types.ts";

/** A name without a registry, a tag and a digest, and one with a registry. */
const ALIAS_NAME = /^(?:[^\s/:@]+|(?!localhost\/)[^\s/.:@]+(?:\/[^\s/:@]+)+)$/;
const ALIAS_LOCATION = /^(?:localhost|[^\s/@]*[.:][^\s/@]*)(?:\/[^\s/:@]+)+$/;

/** What the containers tools' packages bring along: a long list, and seldom anything else. */
const SHIPPED_ALIASES = /shortnames\.conf$/;
const REGISTRY_HEADER = /^\s*\[\[\s*["']?registry\b/m;

/** One `[[registry]]` of a registries.conf. */
export interface RegistryRule {
  /** `host[:port][/path]`, or `*.host`. */
  readonly prefix: string;
  /** Goes in the place of the prefix. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  /** The location is another name for this one repository, whose own rules count. */
  readonly isAlias?: boolean;
  /** The file that says so. */
  readonly path: string;
  readonly mirrors: readonly MirrorRule[];
}

export interface MirrorRule {
  readonly location: string;
  readonly insecure: boolean;
  readonly pull: Mirror["pull"];
}

/** The files that the containers tools read, in order; later ones win. */
export async function registriesConfFiles(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}): Promise<readonly string[]> {
  const { CONTAINERS_REGISTRIES_CONF, XDG_CONFIG_HOME } = options.env;
  if (CONTAINERS_REGISTRIES_CONF !== undefined && CONTAINERS_REGISTRIES_CONF !== "")
    return [CONTAINERS_REGISTRIES_CONF];
  const config =
    XDG_CONFIG_HOME === undefined || XDG_CONFIG_HOME === "" ? join(options.home, ".config") : XDG_CONFIG_HOME;
  const own = join(config, "containers/registries.conf");
  // The user's file takes the place of the system's; the folders beside them add to it.
  const main = (await readConfigFile(own)) === undefined ? "/etc/containers/registries.conf" : own;
  return [
    main,
    ...(await confFiles("/etc/containers/registries.conf.d")),
    ...(await confFiles(join(config, "containers/registries.conf.d"))),
  ];
}

/**
 * Reads rules from files; those that do not exist are skipped. A rule in a later file takes the place of an earlier
 * one with the same prefix.
 * @throws {RegistryError} CONFIG_INVALID
 * @see https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md
 */
export async function readRegistriesConf(paths: readonly string[]): Promise<readonly RegistryRule[]> {
  const rules = new Map<string, RegistryRule>();
  for (const path of paths) {
    const text = await readConfigFile(path);
    const isShipped = SHIPPED_ALIASES.test(path);
    if (text === undefined || (isShipped && !REGISTRY_HEADER.test(text))) continue;
    for (const rule of parseRegistriesConf(text, path)) {
      if (rule.isAlias !== true) rules.set(rule.prefix, rule);
      // Distributions' lists would make another image of `FROM fedora` than Docker does: only a person's own count.
      else if (!isShipped) rules.set(`alias ${rule.prefix}`, rule);
    }
  }
  // An empty name takes an earlier file's alias away.
  return [...rules.values()].filter(({ isAlias, location }) => isAlias !== true || location !== "");
}

/** Parses one file. @throws {RegistryError} CONFIG_INVALID */
export function parseRegistriesConf(text: string, path: string): readonly RegistryRule[] {
  const fail = (fault: string): RegistryError =>
    new RegistryError("CONFIG_INVALID", `Cannot use ${path}: ${fault}`);
  const document = parseConfigToml(text, fail);
  const registries = tables(document["registry"]).map((entry): RegistryRule => {
    const location = text1(entry["location"]);
    const prefix = text1(entry["prefix"]) ?? location;
    if (prefix === undefined) throw fail("a [[registry]] has neither prefix nor location");
    if (location === undefined && !prefix.startsWith("*."))
      throw fail(`the [[registry]] with prefix "${prefix}" has no location`);
    const digestOnly = entry["mirror-by-digest-only"] === true;
    return {
      prefix: clean(prefix),
      location: clean(location ?? ""),
      insecure: entry["insecure"] === true,
      blocked: entry["blocked"] === true,
      path,
      mirrors: tables(entry["mirror"]).map((mirror) => {
        const at = text1(mirror["location"]);
        if (at === undefined) throw fail(`a mirror of "${prefix}" has no location`);
        return {
          location: clean(at),
          insecure: mirror["insecure"] === true,
          pull: pullOf(mirror["pull-from-mirror"], digestOnly),
        };
      }),
    };
  });
  const { aliases } = document;
  return isTable(aliases) ? [...registries, ...parseAliases(aliases, { path, fail })] : registries;
}

/** Short names, which are Docker Hub's where no alias says otherwise. */
function parseAliases(
  aliases: TomlTable,
  { path, fail }: { readonly path: string; readonly fail: (fault: string) => RegistryError },
): readonly RegistryRule[] {
  return Object.entries(aliases).map(([name, value]) => {
    if (!ALIAS_NAME.test(name)) throw fail(`the alias "${name}" is no short name`);
    const location = typeof value === "string" ? value.trim() : "?";
    if (location !== "" && !ALIAS_LOCATION.test(location))
      throw fail(`the alias "${name}" stands for no name with a registry, like quay.io/team/app`);
    const prefix = `docker.io/${name.includes("/") ? name : `library/${name}`}`;
    return { prefix, location, insecure: false, blocked: false, isAlias: true, path, mirrors: [] };
  });
}

/** The alias that a repository's short name is. */
export function findAlias(
  rules: readonly RegistryRule[],
  registry: string,
  repository: string,
): RegistryRule | undefined {
  return rules.find(({ isAlias, prefix }) => isAlias === true && prefix === `${registry}/${repository}`);
}

/** The rule for a repository: that of the longest prefix which it has. Aliases are none. */
export function findRule(
  rules: readonly RegistryRule[],
  registry: string,
  repository: string,
): RegistryRule | undefined {
  const name = `${registry}/${repository}`;
  let best: RegistryRule | undefined;
  for (const rule of rules) {
    if (rule.isAlias === true || !hasPrefix(name, registry, rule.prefix)) continue;
    if (best === undefined || rule.prefix.length > best.prefix.length) best = rule;
  }
  return best;
}

function hasPrefix(name: string, registry: string, prefix: string): boolean {
  if (prefix.startsWith("*.")) return stripPort(registry).endsWith(prefix.slice(1));
  return name === prefix || name.startsWith(`${prefix}/`);
}

function pullOf(value: TomlValue | undefined, digestOnly: boolean): Mirror["pull"] {
  if (value === "digest-only" || value === "tag-only" || value === "all") return value;
  return digestOnly ? "digest-only" : "all";
}

function tables(value: TomlValue | undefined): readonly TomlTable[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isTable);
}

function text1(value: TomlValue | undefined): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

function clean(location: string): string {
  return location.replace(/^https?:\/\//i, "").replace(/\/+$/, "");
}

async function confFiles(folder: string): Promise<readonly string[]> {
  try {
    const names = (await listFolder(folder)) ?? [];
    return names
      .filter((name) => name.endsWith(".conf"))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
