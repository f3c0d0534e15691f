import { readFileSync } from "node:fs";

export interface HostEntry {
  readonly name: string;
  readonly address: string;
}

/** The text of /etc/hosts that a command sees. */
export function createHosts(hostname: string, extra: readonly HostEntry[]): string {
  const lines = [
    `127.0.0.1\tlocalhost ${hostname}`,
    "::1\tlocalhost ip6-localhost ip6-loopback",
    ...extra.map(({ name, address }) => `${address}\t${name}`),
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * The host's resolv.conf as it is. With the host's network its name servers can be reached even where they listen on a
 * loopback address; without a network none can. A host without the file gives an empty one, which means the same to
 * a resolver.
 */
export function readResolvConf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
