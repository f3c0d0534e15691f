import { isIPv4, isIPv6 } from "node:net";

/** How far away a host is, as told by its literal address. Names other than localhost count as public. */
export type AddressKind = "loopback" | "link-local" | "private" | "public";

/** Looks at a URL's host name or a `host[:port]`; resolves nothing. */
export function classifyAddress(host: string): AddressKind {
  const name = stripPort(host).toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost")) return "loopback";
  if (isIPv4(name)) return classifyV4(name);
  return isColonAddress(name) ? classifyV6(name) : "public";
}

export function isLoopback(host: string): boolean {
  return classifyAddress(host) === "loopback";
}

/** The host of `host[:port]` or `[v6][:port]`, without brackets. */
export function stripPort(host: string): string {
  if (host.startsWith("[")) return host.slice(1, host.indexOf("]"));
  if (isColonAddress(host)) return host;
  const colon = host.lastIndexOf(":");
  return colon < 0 ? host : host.slice(0, colon);
}

/** Node's expression for these takes 6 ms to compile, which most names can spare. */
function isColonAddress(host: string): boolean {
  return host.indexOf(":") !== host.lastIndexOf(":") && isIPv6(host);
}

function classifyV4(address: string): AddressKind {
  const [a = 0, b = 0] = address.split(".").map(Number);
  if (a === 127 || a === 0) return "loopback";
  if (a === 169 && b === 254) return "link-local";
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return "private";
  if (a === 100 && b >= 64 && b < 128) return "private";
  return "public";
}

function classifyV6(address: string): AddressKind {
  // The URL parser has one spelling for every address.
  const canonical = new URL(`http://[${address.replace(/%.*$/, "")}]/`).hostname.slice(1, -1);
  if (canonical === "::1" || canonical === "::") return "loopback";
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped !== null) {
    const value = Number.parseInt(mapped[1] ?? "0", 16) * 65536 + Number.parseInt(mapped[2] ?? "0", 16);
    return classifyV4([24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join("."));
  }
  if (/^fe[89ab]/.test(canonical)) return "link-local";
  if (/^f[cd]/.test(canonical)) return "private";
  return "public";
}
