import type { RegistryClientOptions } from "./client.ts";
import { createFileCredentials, credentialFiles } from "./credentials/file-source.ts";
import { certsRoots, hostsRoots } from "./hosts/certs-d.ts";
import { createHostConfigs, type HostConfigOptions } from "./hosts/host-configs.ts";
import { createProxyRules, proxySettings } from "./hosts/proxy-rules.ts";
import { readRegistriesConf, registriesConfFiles } from "./hosts/registries-conf.ts";
import { createSystemCa } from "./hosts/system-ca.ts";

export interface EnvironmentOptions extends Omit<HostConfigOptions, "certsRoots" | "hostsRoots"> {
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Told when a credential file or helper cannot be used and the search goes on. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/**
 * What Docker's and the containers tools would use in this environment: their credential files and helpers, certificate
 * folders, proxies, and the system's authorities. Files are read when a registry is first talked to.
 * @throws {RegistryError} CONFIG_INVALID when a proxy variable is no address
 */
export function settingsFromEnvironment(
  options: EnvironmentOptions,
): Pick<RegistryClientOptions, "credentials" | "hosts" | "proxy" | "systemCa"> {
  const { env, home, onWarning, ...hosts } = options;
  const { http, https } = proxySettings(env);
  return {
    credentials: createFileCredentials({
      env,
      inlineConfig: env["DOCKER_AUTH_CONFIG"],
      files: credentialFiles(env, home),
      onWarning,
    }),
    hosts: createHostConfigs({
      readRules: async () => await readRegistriesConf(await registriesConfFiles({ env, home })),
      ...hosts,
      certsRoots: certsRoots({ env, home }),
      hostsRoots: hostsRoots({ env, home }),
    }),
    // Absent rather than empty: asking rules for every request would be for nothing.
    proxy: http === undefined && https === undefined ? undefined : createProxyRules(proxySettings(env)),
    systemCa: createSystemCa(env),
  };
}
