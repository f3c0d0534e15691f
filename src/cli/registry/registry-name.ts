import { DOCKER_HUB, parseReference } from "../../oci/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { usageError } from "../error.ts";

/**
 * The registry that a person names: `ghcr.io`, `localhost:5000`, `https://index.docker.io/v1/`. A scheme and a path are
 * dropped, as Docker does; Docker Hub's other names become `docker.io`.
 * @throws {CliError} USAGE
 */
export function parseRegistryName(text: string): string {
  const host = text
    .trim()
    .replace(/^https?:\/\//i, "")
    .replace(/\/.*$/s, "");
  if (HUB_HOSTS.includes(host)) return DOCKER_HUB;
  const { registry } = asUsage(() => parseReference(`${host}/name`));
  if (registry === host) return registry;
  // A first part without dot, colon or capitals would be a user of Docker Hub in an image's name.
  throw usageError(
    `Cannot use "${text}" as a registry: it is no host name`,
    "A registry is a host with an optional port: ghcr.io, localhost:5000",
  );
}

const HUB_HOSTS: readonly string[] = [
  DOCKER_HUB,
  "index.docker.io",
  "registry-1.docker.io",
  "hub.docker.com",
];
