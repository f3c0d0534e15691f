import { readCerts } from "./certs-d.ts";
import { type DefaultHostsOptions, defaultEndpoint } from "./default-hosts.ts";
import { type HostsFile, type ListedHost, readHostsFile, readListedTls } from "./hosts-toml.ts";
import { findAlias, findRule, type MirrorRule, type RegistryRule } from "./registries-conf.ts";
import { nameAt } from "./rename.ts";
import type { Endpoint, HostConfig, HostConfigSource, Mirror, TlsConfig } from "./types.ts";

export interface HostConfigOptions extends DefaultHostsOptions {
  /** Folders that have a folder of certificates for each host; see `certsRoots`. */
  readonly certsRoots?: readonly string[];
  /** Folders that have a folder with containerd's `hosts.toml` for each registry. */
  readonly hostsRoots?: readonly string[];
  /** For every host, before what the folders say: a command line's `--cert` and the like. */
  readonly tls?: TlsConfig | undefined;
  /** Mirrors of a registry, in the order in which they are asked. */
  readonly mirrors?: ReadonlyMap<string, readonly MirrorAddress[]>;
  /** Rules of the containers tools; asked once, when a registry is first needed. */
  readonly readRules?: () => Promise<readonly RegistryRule[]>;
}

/** A mirror as a person names it. */
export interface MirrorAddress {
  /** `host[:port][/prefix]`, with `http://` or `https://` before it where the protocol is to be fixed. */
  readonly address: string;
  readonly pull?: Mirror["pull"];
}

/** Where requests go: the defaults, with certificates from folders, and mirrors and rules from settings. */
export function createHostConfigs(options: HostConfigOptions = {}): HostConfigSource {
  const { certsRoots = [], hostsRoots = [], mirrors } = options;
  const made = new Map<string, Promise<HostConfig>>();
  let rules: Promise<readonly RegistryRule[]> | undefined;

  async function complete<E extends Endpoint>(endpoint: E): Promise<E> {
    const found = await readCerts(certsRoots, endpoint.host);
    const tls = { ...found, ...options.tls, ...endpoint.tls };
    return Object.keys(tls).length === 0 ? endpoint : { ...endpoint, tls };
  }

  async function listed(file: HostsFile, host: ListedHost): Promise<Mirror> {
    const tls = await readListedTls(file, host);
    return await complete({ ...host.endpoint, pull: host.pull, ...(tls === undefined ? {} : { tls }) });
  }

  async function make(registry: string, rule: RegistryRule | undefined): Promise<HostConfig> {
    const file = hostsRoots.length === 0 ? undefined : await readHostsFile(hostsRoots, registry);
    const own = mirrors?.get(registry) ?? [];
    const ofRule =
      rule === undefined ? [] : rule.mirrors.map((mirror) => ruledMirror(rule, mirror, registry, options));
    const readable = (file?.hosts ?? []).filter(({ reads }) => reads);
    const upstream = await complete(ruledUpstream(rule, registry, options));
    return {
      // What registries.conf says of the registry itself is the nearer rule: it may be about one repository.
      upstream:
        file?.server === undefined || isRelocated(rule)
          ? upstream
          : asUpstream(upstream, await listed(file, file.server)),
      mirrors: [
        ...(await Promise.all(own.map((mirror) => complete(mirrorEndpoint(mirror, options))))),
        ...(file === undefined ? [] : await Promise.all(readable.map((host) => listed(file, host)))),
        ...(await Promise.all(ofRule.map(complete))),
      ],
      ...(rule?.blocked === true ? { blocked: `${rule.path} blocks ${rule.prefix}` } : {}),
    };
  }

  async function once(key: string, create: () => Promise<HostConfig>): Promise<HostConfig> {
    let config = made.get(key);
    if (config === undefined) {
      config = create();
      made.set(key, config);
      config.catch(() => made.delete(key));
    }
    return await config;
  }

  const ruled = async (registry: string, rule: RegistryRule | undefined): Promise<HostConfig> =>
    await once(`${registry} ${rule?.prefix ?? ""}`, () => make(registry, rule));

  return {
    async find(registry, repository = "") {
      rules ??= options.readRules?.() ?? Promise.resolve([]);
      const all = await rules;
      const alias = findAlias(all, registry, repository);
      if (alias === undefined) return await ruled(registry, findRule(all, registry, repository));
      const [host, name] = splitLocation(alias.location);
      return await once(`${registry} alias ${alias.prefix}`, async () =>
        asAlias(await ruled(host, findRule(all, host, name)), { repository, name, isOwn: host === registry }),
      );
    },
  };
}

/**
 * Who serves a repository that has another name in truth: who serves that name, by its rules. The credentials are those of the
 * host that it is at.
 */
function asAlias(
  { upstream, mirrors = [], ...rest }: HostConfig,
  {
    repository,
    name,
    isOwn,
  }: { readonly repository: string; readonly name: string; readonly isOwn: boolean },
): HostConfig {
  const renamed = <E extends Endpoint>(endpoint: E): E => {
    const { isUpstream, ...other } = endpoint;
    const rename = { from: repository, to: nameAt(endpoint, name) };
    return { ...other, rename, ...(isOwn && isUpstream === true ? { isUpstream } : {}) } as E;
  };
  return { ...rest, upstream: renamed(upstream), mirrors: mirrors.map(renamed) };
}

/** `host/path` in two; the path may be empty. */
function splitLocation(location: string): readonly [host: string, path: string] {
  const slash = location.indexOf("/");
  return slash < 0 ? [location, ""] : [location.slice(0, slash), location.slice(slash + 1)];
}

function ruledUpstream(
  rule: RegistryRule | undefined,
  registry: string,
  options: DefaultHostsOptions,
): Endpoint {
  const insecure = rule?.insecure === true ? { insecure: ["*"] } : options;
  if (rule === undefined || !isRelocated(rule)) return defaultEndpoint(registry, insecure);
  return relocated(rule, rule.location, registry, insecure);
}

function isRelocated(rule: RegistryRule | undefined): boolean {
  return rule !== undefined && rule.location !== "" && rule.location !== rule.prefix;
}

/** The server that a `hosts.toml` names. Only where it is the registry's own host does it get the registry's credentials. */
function asUpstream(usual: Endpoint, { pull: _pull, ...server }: Mirror): Endpoint {
  return server.host === usual.host ? { ...server, isUpstream: true } : server;
}

function ruledMirror(
  rule: RegistryRule,
  mirror: MirrorRule,
  registry: string,
  options: DefaultHostsOptions,
): Mirror {
  const insecure = mirror.insecure ? { insecure: ["*"] } : options;
  return { ...relocated(rule, mirror.location, registry, insecure), pull: mirror.pull };
}

/** The endpoint at a location that stands for a rule's prefix, with the change of names that this means. */
function relocated(
  rule: RegistryRule,
  location: string,
  registry: string,
  options: DefaultHostsOptions,
): Endpoint {
  const from = rule.prefix.startsWith("*.") ? "" : rule.prefix.slice(registry.length).replace(/^\//, "");
  const [host, to] = splitLocation(location);
  // Another host than the registry's own: it has credentials of its own.
  const { isUpstream: _own, ...endpoint } = defaultEndpoint(host, options);
  return { ...endpoint, ...(from === to ? {} : { rename: { from, to } }) };
}

/** Reads a mirror's address into an endpoint. */
function mirrorEndpoint({ address, pull = "all" }: MirrorAddress, options: DefaultHostsOptions = {}): Mirror {
  const scheme = /^(https?):\/\//i.exec(address)?.[1]?.toLowerCase();
  const rest = address.replace(/^https?:\/\//i, "").replace(/\/+$/, "");
  const [host, path] = splitLocation(rest);
  const { isUpstream: _own, ...base } = defaultEndpoint(host, options);
  return {
    ...base,
    pull,
    ...(scheme === undefined ? {} : { protocol: scheme === "http" ? "http" : "https" }),
    ...(path === "" ? {} : { pathPrefix: `/${path}` }),
  };
}
