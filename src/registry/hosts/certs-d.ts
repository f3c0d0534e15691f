import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RegistryError } from "../error.ts";
import { authoritiesFault, clientPairFault } from "./check-pem.ts";
import { listFolder } from "./settings-file.ts";
import type { TlsConfig } from "./types.ts";

/** The folders that have one folder of certificates for each registry, best first. */
export function certsRoots(options: RootsOptions): readonly string[] {
  const config = configFolder(options);
  return [
    join(config, "containers/certs.d"),
    join(config, "docker/certs.d"),
    "/etc/containers/certs.d",
    "/etc/docker/certs.d",
  ];
}

/** The folders that may have a `hosts.toml` for a registry, best first: where containerd's own tools look. */
export function hostsRoots(options: RootsOptions): readonly string[] {
  const config = configFolder(options);
  return [
    join(config, "containerd/certs.d"),
    join(config, "docker/certs.d"),
    "/etc/containerd/certs.d",
    "/etc/docker/certs.d",
  ];
}

interface RootsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

function configFolder({ env, home }: RootsOptions): string {
  const { XDG_CONFIG_HOME } = env;
  return XDG_CONFIG_HOME === undefined || XDG_CONFIG_HOME === "" ? join(home, ".config") : XDG_CONFIG_HOME;
}

/**
 * The certificates for a host (`name` or `name:port`): those of the first root that has a folder for it. `*.crt` are
 * authorities to trust in addition, `NAME.cert` with `NAME.key` is a client certificate.
 * @throws {RegistryError} CONFIG_INVALID
 * @see https://docs.docker.com/engine/security/certificates/
 */
export async function readCerts(roots: readonly string[], host: string): Promise<TlsConfig | undefined> {
  // A host comes from an image name; it must not lead out of the root.
  if (/[/\\]|^\.{0,2}$/.test(host)) return undefined;
  for (const root of roots) {
    const folder = join(root, host);
    const names = await listIfThere(folder);
    // Where there is a hosts.toml, it says which of the files beside it count.
    if (names === undefined || names.includes("hosts.toml")) continue;
    return await readFolder(folder, names);
  }
  return undefined;
}

async function readFolder(folder: string, names: readonly string[]): Promise<TlsConfig | undefined> {
  const sorted = [...names].sort();
  const extraCa: string[] = [];
  let clientCertificate: TlsConfig["clientCertificate"];
  for (const name of sorted) {
    if (name.endsWith(".crt")) extraCa.push(await readAuthorities(join(folder, name)));
    if (name.endsWith(".cert")) {
      const key = `${name.slice(0, -".cert".length)}.key`;
      if (!names.includes(key)) {
        throw invalid(
          folder,
          `"${name}" has no key beside it`,
          `Put its key there as ${key}; an authority's certificate ends in .crt`,
        );
      }
      clientCertificate ??= await readPair(join(folder, name), join(folder, key));
    }
    if (name.endsWith(".key") && !names.includes(`${name.slice(0, -".key".length)}.cert`)) {
      throw invalid(
        folder,
        `"${name}" has no certificate beside it`,
        `Put its certificate there as ${name.slice(0, -".key".length)}.cert`,
      );
    }
  }
  if (extraCa.length === 0 && clientCertificate === undefined) return undefined;
  return {
    ...(extraCa.length === 0 ? {} : { extraCa }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}

async function readAuthorities(path: string): Promise<string> {
  const pem = await readPem(path);
  const fault = authoritiesFault(pem);
  if (fault === undefined) return pem;
  throw invalid(path, fault, "Convert it with openssl x509, or take it away");
}

async function readPair(
  certificatePath: string,
  keyPath: string,
): Promise<NonNullable<TlsConfig["clientCertificate"]>> {
  const [certificate, key] = await Promise.all([readPem(certificatePath), readPem(keyPath)]);
  const fault = clientPairFault(certificate, key);
  if (fault === undefined) return { certificate, key };
  throw invalid(`${certificatePath} with its key`, fault);
}

async function listIfThere(folder: string): Promise<readonly string[] | undefined> {
  try {
    // A file beside the folders of hosts is no folder, and so none of certificates.
    return await listFolder(folder);
  } catch (error) {
    throw invalid(folder, (error as Error).message, undefined, error);
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw invalid(path, (error as Error).message, undefined, error);
  }
}

function invalid(path: string, fault: string, hint?: string, cause?: unknown): RegistryError {
  return new RegistryError("CONFIG_INVALID", `Cannot use certificates in ${path}: ${fault}`, { hint, cause });
}
