import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { RegistryError } from "../error.ts";
import { authoritiesFault, clientPairFault } from "./check-pem.ts";
import { defaultEndpoint } from "./default-hosts.ts";
import { parseConfigToml, readConfigFile } from "./settings-file.ts";
import { isTable, type TomlTable, type TomlValue } from "./toml.ts";
import type { Endpoint, Mirror, TlsConfig } from "./types.ts";

/** What a `hosts.toml` says of one server. */
export interface ListedHost {
  readonly endpoint: Omit<Endpoint, "tls">;
  readonly pull: Mirror["pull"];
  /** false: nothing may be read there. */
  readonly reads: boolean;
  readonly skipVerify: boolean | undefined;
  /** Paths of PEM files. */
  readonly ca: readonly string[];
  readonly client: { readonly certificate: string; readonly key: string } | undefined;
}

export interface HostsFile {
  readonly path: string;
  /** The registry itself, where the file names it or says something about it. */
  readonly server: ListedHost | undefined;
  /** Whom to ask before, in the file's order. */
  readonly hosts: readonly ListedHost[];
}

/**
 * containerd's settings for a registry: the first `HOST/hosts.toml` in the folders, `HOST` being `name`, `name_port_`,
 * `name:port` or `_default`. Undefined where there is none.
 * @throws {RegistryError} CONFIG_INVALID
 * @see https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
export async function readHostsFile(
  roots: readonly string[],
  registry: string,
): Promise<HostsFile | undefined> {
  // The name comes from an image's; it must not lead out of the folder.
  if (/[/\\]|^\.{0,2}$/.test(registry)) return undefined;
  const names = [registry.replace(/:(\d+)$/, "_$1_"), registry, "_default"];
  for (const root of roots) {
    for (const name of new Set(names)) {
      const folder = join(root, name);
      const path = join(folder, "hosts.toml");
      const text = await readConfigFile(path);
      if (text !== undefined) return parseHostsFile(text, { path, folder, registry });
    }
  }
  return undefined;
}

/** @throws {RegistryError} CONFIG_INVALID */
export function parseHostsFile(
  text: string,
  { path, folder, registry }: { readonly path: string; readonly folder: string; readonly registry: string },
): HostsFile {
  const fail = (fault: string): RegistryError =>
    new RegistryError("CONFIG_INVALID", `Cannot use ${path}: ${fault}`, { registry });
  const document = parseConfigToml(text, fail);
  const context = { folder, fail };
  const { server, host = {} } = document;
  if (server !== undefined && typeof server !== "string") throw fail('"server" is no text');
  if (!isTable(host)) throw fail('"host" is no table');
  return {
    path,
    server:
      server === undefined || server === ""
        ? undefined
        : withNamespace(listedHost(server, document, context), registry),
    hosts: Object.entries(host).map(([address, table]) => {
      if (!isTable(table)) throw fail(`host "${address}" is no table`);
      return withNamespace(listedHost(address, table, context), registry);
    }),
  };
}

interface Context {
  readonly folder: string;
  readonly fail: (fault: string) => RegistryError;
}

function listedHost(address: string, table: TomlTable, { folder, fail }: Context): ListedHost {
  const text = /^[a-z]+:\/\//i.test(address) ? address : `https://${address}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.host === "")
    throw fail(`"${address}" is no address of a registry`);
  const capabilities =
    table["capabilities"] === undefined ? ["pull", "resolve"] : texts(table["capabilities"]);
  if (capabilities === undefined) throw fail(`the capabilities of "${address}" are no list of texts`);
  const at = (file: string): string => (isAbsolute(file) ? file : join(folder, file));
  const headers = readHeaders(table["header"], () => fail(`the headers of "${address}" are no texts`));
  return {
    endpoint: {
      host: url.host,
      protocol: url.protocol === "http:" ? "http" : "https",
      ...place(url.pathname, table["override_path"] === true, () =>
        fail(`the path of "${address}" overrides the protocol's, but has no /v2 in it`),
      ),
      ...(headers === undefined ? {} : { headers }),
    },
    reads: capabilities.includes("pull"),
    pull: capabilities.includes("resolve") ? "all" : "digest-only",
    skipVerify: typeof table["skip_verify"] === "boolean" ? table["skip_verify"] : undefined,
    ca:
      table["ca"] === undefined
        ? []
        : needTexts(table["ca"], () => fail(`"ca" of "${address}" is no text`)).map(at),
    client: readClient(table["client"], at, () => fail(`"client" of "${address}" names no certificate`)),
  };
}

/**
 * Where requests go below a host. A path that overrides the protocol's often ends in the project of a caching registry,
 * which is the same as other names for its repositories.
 */
function place(
  path: string,
  overrides: boolean,
  fail: () => RegistryError,
): Pick<Endpoint, "pathPrefix" | "rename"> {
  const clean = path.replace(/\/+$/, "");
  const [, prefix = clean, project = ""] = /^(.*?)\/v2(?:\/(.*))?$/.exec(clean) ?? [];
  const isApi = prefix !== clean;
  if (overrides && !isApi) throw fail();
  // Without the override only a path that ends in /v2 is the protocol's own.
  const pathPrefix = overrides || (isApi && project === "") ? prefix : clean;
  return {
    ...(pathPrefix === "" ? {} : { pathPrefix }),
    ...(overrides && project !== "" ? { rename: { from: "", to: project } } : {}),
  };
}

function withNamespace(listed: ListedHost, registry: string): ListedHost {
  if (listed.endpoint.host === defaultEndpoint(registry).host) return listed;
  return { ...listed, endpoint: { ...listed.endpoint, sendsNamespace: true } };
}

/** The certificates that a listed host names, read from their files. @throws {RegistryError} CONFIG_INVALID */
export async function readListedTls(
  { path }: HostsFile,
  { ca, client, skipVerify }: ListedHost,
): Promise<TlsConfig | undefined> {
  const read = async (file: string): Promise<string> => {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      const fault = (error as Error).message;
      throw new RegistryError("CONFIG_INVALID", `Cannot use ${path}: ${fault}`, { cause: error });
    }
  };
  const fail = (fault: string): RegistryError =>
    new RegistryError("CONFIG_INVALID", `Cannot use ${path}: ${fault}`);
  if (ca.length === 0 && client === undefined && skipVerify === undefined) return undefined;
  const extraCa = await Promise.all(ca.map(read));
  for (const [i, pem] of extraCa.entries()) {
    const fault = authoritiesFault(pem);
    if (fault !== undefined) throw fail(`of ${ca[i]}, that it names: ${fault}`);
  }
  let clientCertificate: TlsConfig["clientCertificate"];
  if (client !== undefined) {
    clientCertificate = { certificate: await read(client.certificate), key: await read(client.key) };
    const fault = clientPairFault(clientCertificate.certificate, clientCertificate.key);
    if (fault !== undefined)
      throw fail(`of ${client.certificate} with ${client.key}, that it names: ${fault}`);
  }
  return {
    ...(ca.length === 0 ? {} : { extraCa }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(skipVerify === undefined ? {} : { skipVerify }),
  };
}

/** `"both.pem"`, `["cert.pem", "key.pem"]` or a list of such pairs, of which the first counts. */
function readClient(
  value: TomlValue | undefined,
  at: (file: string) => string,
  fail: () => RegistryError,
): ListedHost["client"] {
  if (value === undefined) return undefined;
  const pair = Array.isArray(value) && Array.isArray(value[0]) ? value[0] : value;
  const [certificate, key = certificate] = needTexts(pair, fail);
  if (certificate === undefined || key === undefined) throw fail();
  return { certificate: at(certificate), key: key === "" ? at(certificate) : at(key) };
}

function readHeaders(
  value: TomlValue | undefined,
  fail: () => RegistryError,
): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined;
  if (!isTable(value)) throw fail();
  return Object.fromEntries(
    Object.entries(value).map(([name, content]) => [name.toLowerCase(), needTexts(content, fail).join(", ")]),
  );
}

function needTexts(value: TomlValue, fail: () => RegistryError): readonly string[] {
  const found = texts(value);
  if (found === undefined) throw fail();
  return found;
}

function texts(value: TomlValue | undefined): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}
