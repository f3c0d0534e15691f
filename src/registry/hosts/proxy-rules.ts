import { BlockList, isIP } from "node:net";
import { RegistryError } from "../error.ts";
import { classifyAddress, stripPort } from "../transport/net-address.ts";

/** Which requests go through a proxy. */
export interface ProxySettings {
  /** For https:// requests. */
  readonly https?: string | undefined;
  /** For http:// requests. */
  readonly http?: string | undefined;
  /** Hosts that are reached directly, as in NO_PROXY. */
  readonly except?: string | undefined;
}

/** The settings that Docker's tools take from the environment. Upper case wins. */
export function proxySettings(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const read = (name: string): string | undefined => {
    const values = [env[name], env[name.toLowerCase()]].map((value) => value?.trim());
    return values.find((value) => value !== undefined && value !== "");
  };
  const all = read("ALL_PROXY");
  return { https: read("HTTPS_PROXY") ?? all, http: read("HTTP_PROXY") ?? all, except: read("NO_PROXY") };
}

/** Tells the proxy for a URL; undefined: none. */
export type ChooseProxy = (url: URL) => URL | undefined;

/**
 * Reads settings into a decision. NO_PROXY means what it means to Go programs: names with their subdomains, `.name` for
 * subdomains only, addresses, networks as `10.0.0.0/8`, each with an optional port, `*` for everything. Loopback is
 * never proxied.
 * @throws {RegistryError} CONFIG_INVALID
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
export function createProxyRules(settings: ProxySettings): ChooseProxy {
  const https = proxyUrl(settings.https, "HTTPS_PROXY");
  const http = proxyUrl(settings.http, "HTTP_PROXY");
  if (https === undefined && http === undefined) return () => undefined;
  const exceptions = (settings.except ?? "")
    .split(",")
    .flatMap((text) => parseException(text.trim().toLowerCase()));
  return (url) => {
    const proxy = url.protocol === "https:" ? https : http;
    if (proxy === undefined || classifyAddress(url.hostname) === "loopback") return undefined;
    const host = stripPort(url.hostname).toLowerCase().replace(/\.$/, "");
    const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
    return exceptions.some((matches) => matches(host, port)) ? undefined : proxy;
  };
}

type Exception = (host: string, port: string) => boolean;

function parseException(text: string): readonly Exception[] {
  if (text === "") return [];
  if (text === "*") return [() => true];
  const network = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(text);
  if (network !== null) return networkException(network[1] ?? "", Number(network[2]));
  const { name, port } = splitPort(text);
  const fits = (candidate: string): boolean => port === undefined || port === candidate;
  if (isIP(name) !== 0) return [(host, at) => fits(at) && canonical(host) === canonical(name)];
  const suffix = name.replace(/^\*(?=\.)/, "");
  if (suffix.startsWith(".")) return [(host, at) => fits(at) && host.endsWith(suffix)];
  return [(host, at) => fits(at) && (host === suffix || host.endsWith(`.${suffix}`))];
}

function networkException(address: string, prefix: number): readonly Exception[] {
  const version = isIP(address);
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) return [];
  const list = new BlockList();
  list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return [(host) => isIP(host) !== 0 && list.check(host, isIP(host) === 4 ? "ipv4" : "ipv6")];
}

function splitPort(text: string): { readonly name: string; readonly port: string | undefined } {
  if (isIP(text) !== 0) return { name: text, port: undefined };
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  if (match !== null) return { name: match[1] ?? match[2] ?? "", port: match[3] };
  return { name: text.replace(/^\[|\]$/g, ""), port: undefined };
}

function canonical(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]/`).hostname : address;
}

function proxyUrl(text: string | undefined, variable: string): URL | undefined {
  if (text === undefined) return undefined;
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url !== undefined && /^(?:https?|socks5h?):$/.test(url.protocol) && url.hostname !== "") return url;
  // The text may hold a password.
  throw new RegistryError(
    "CONFIG_INVALID",
    `Cannot use the proxy that ${variable} or ALL_PROXY names: its address is no http, https or socks5 URL`,
  );
}
