import { DOCKER_HUB } from "../../oci/index.ts";
import { isLoopback } from "../transport/net-address.ts";
import type { Endpoint, HostConfig, HostConfigSource } from "./types.ts";

/** Where Docker Hub's registry is: its name on the wire is none of the names people write. */
const DOCKER_HUB_HOST = "registry-1.docker.io";

export interface DefaultHostsOptions {
  /** Registries that may speak plain http or have any certificate: names, or `*` for all. */
  readonly insecure?: readonly string[];
}

/** https everywhere, with plain http allowed on loopback and where asked for. */
export function createDefaultHosts(options: DefaultHostsOptions = {}): HostConfigSource {
  return {
    find: (registry) => Promise.resolve<HostConfig>({ upstream: defaultEndpoint(registry, options) }),
  };
}

/** The registry's own endpoint. */
export function defaultEndpoint(registry: string, { insecure = [] }: DefaultHostsOptions = {}): Endpoint {
  const host = registry === DOCKER_HUB || registry === "index.docker.io" ? DOCKER_HUB_HOST : registry;
  const isInsecure = insecure.includes(registry) || insecure.includes("*");
  return {
    isUpstream: true,
    host,
    protocol: isInsecure || isLoopback(host) ? "detect" : "https",
    ...(isInsecure ? { tls: { skipVerify: true } } : {}),
  };
}
