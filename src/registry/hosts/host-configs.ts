import { readCerts } from "./certs-d.ts";
import { type DefaultHostsOptions, defaultEndpoint } from "./default-hosts.ts";
import type { Endpoint, HostConfig, HostConfigSource, Mirror, TlsConfig } from "./types.ts";

export interface HostConfigOptions extends DefaultHostsOptions {
  /** Folders that have a folder of certificates for each host; see `certsRoots`. */
  readonly certsRoots?: readonly string[];
  /** For every host, before what the folders say: a command line's `--cert` and the like. */
  readonly tls?: TlsConfig | undefined;
  /** Mirrors of a registry, in the order in which they are asked. */
  readonly mirrors?: ReadonlyMap<string, readonly MirrorAddress[]>;
}

/** A mirror as a person names it. */
export interface MirrorAddress {
  /** `host[:port][/prefix]`, with `http://` or `https://` before it where the protocol is to be fixed. */
  readonly address: string;
  readonly pull?: Mirror["pull"];
}

/** Where requests go: the defaults, with certificates from folders and mirrors from settings. */
export function createHostConfigs(options: HostConfigOptions = {}): HostConfigSource {
  const { certsRoots = [], mirrors } = options;
  const complete = async <E extends Endpoint>(endpoint: E): Promise<E> => {
    const found = await readCerts(certsRoots, endpoint.host);
    const tls = { ...found, ...options.tls, ...endpoint.tls };
    return Object.keys(tls).length === 0 ? endpoint : { ...endpoint, tls };
  };
  return {
    async find(registry): Promise<HostConfig> {
      const found = mirrors?.get(registry) ?? [];
      return {
        upstream: await complete(defaultEndpoint(registry, options)),
        mirrors: await Promise.all(found.map((mirror) => complete(mirrorEndpoint(mirror, options)))),
      };
    },
  };
}

/** Reads a mirror's address into an endpoint. */
export function mirrorEndpoint(
  { address, pull = "all" }: MirrorAddress,
  options: DefaultHostsOptions = {},
): Mirror {
  const scheme = /^(https?):\/\//i.exec(address)?.[1]?.toLowerCase();
  const rest = address.replace(/^https?:\/\//i, "").replace(/\/+$/, "");
  const slash = rest.indexOf("/");
  const host = slash < 0 ? rest : rest.slice(0, slash);
  const { isUpstream: _own, ...base } = defaultEndpoint(host, options);
  return {
    ...base,
    pull,
    ...(scheme === undefined ? {} : { protocol: scheme === "http" ? "http" : "https" }),
    ...(slash < 0 ? {} : { pathPrefix: rest.slice(slash) }),
  };
}
