import { toLowerSimple } from "../../text/case.ts";

/** A word of EXPOSE, expanded. */
export interface ExposedPort {
  /** As written; `tcp` if nothing is. */
  readonly protocol: string;
  /** What stands in front of the container's port: an address, a host port, or nothing. */
  readonly host: string;
}

/** Splits a port. @returns what is wrong with it, if something is so wrong that nothing can be said of it */
export function splitExposedPort(
  text: string,
): (ExposedPort & { readonly problem: string | undefined }) | string {
  const parts = text.split(":");
  const [range = "", ...protocolParts] = (parts.at(-1) ?? "").split("/");
  const protocol = protocolParts.join("/");
  if (range === "") return `invalid port: ${JSON.stringify(text)}: no port specified`;
  if (!["", "tcp", "udp", "sctp"].includes(toLowerSimple(protocol))) {
    return `invalid port: ${JSON.stringify(text)}: invalid proto: ${protocol}`;
  }
  const hostPort = parts.at(-2) ?? "";
  const address = parts.slice(0, -2).join(":");
  return {
    protocol: protocol === "" ? "tcp" : protocol,
    host: address === "" ? hostPort : `${address}:${hostPort}`,
    problem: problemOf(range, hostPort, address),
  };
}

function problemOf(range: string, hostPort: string, address: string): string | undefined {
  if (address !== "" && !isAddress(address)) return `invalid IP address: ${address}`;
  const size = rangeSize(range);
  if (size === undefined) return `invalid containerPort: ${range}`;
  if (hostPort === "") return undefined;
  const hostSize = rangeSize(hostPort);
  if (hostSize === undefined) return `invalid hostPort: ${hostPort}`;
  return size !== hostSize && size !== 1
    ? `invalid ranges specified for container and host Ports: ${range} and ${hostPort}`
    : undefined;
}

/** How many ports `80` or `8000-8010` is; undefined if it is none. */
function rangeSize(text: string): number | undefined {
  const dash = text.indexOf("-");
  const start = portNumber(dash === -1 ? text : text.slice(0, dash));
  const end = dash === -1 ? start : portNumber(text.slice(dash + 1));
  if (start === undefined || end === undefined || end < start) return undefined;
  return end - start + 1;
}

function portNumber(text: string): number | undefined {
  const value = /^\+?[0-9]+$/.test(text) ? Number(text) : undefined;
  return value !== undefined && value <= 65_535 ? value : undefined;
}

function isAddress(text: string): boolean {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const numbers = bare.split(".");
  if (numbers.length === 4) {
    return numbers.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
  }
  return isIpv6(bare);
}

function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}
