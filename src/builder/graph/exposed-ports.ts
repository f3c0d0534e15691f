import { isIP } from "node:net";
import { BuildError } from "../error.ts";

const PROTOCOLS = new Set(["tcp", "udp", "sctp"]);
const MAX_PORT = 65_535;

/**
 * Reads a port of EXPOSE, `[ip:][host-port:]port[-port][/protocol]`, into the config's `port/protocol` keys. An
 * address and a host port are checked and dropped: they mean nothing in an image.
 * @throws {BuildError} DOCKERFILE_INVALID
 */
export function parseExposedPort(text: string): readonly string[] {
  const { ip, hostPort, containerPort } = splitParts(text);
  const slash = containerPort.indexOf("/");
  const port = slash < 0 ? containerPort : containerPort.slice(0, slash);
  const protocol = slash < 0 ? "" : containerPort.slice(slash + 1);
  if (port === "") throw invalid(`invalid port: "${text}": no port specified`);
  const lower = protocol.toLowerCase();
  if (lower !== "" && !PROTOCOLS.has(lower))
    throw invalid(`invalid port: "${text}": invalid proto: ${protocol}`);
  const address = ip.startsWith("[") && ip.endsWith("]") ? ip.slice(1, -1) : ip;
  if (address !== "" && isIP(address) === 0) throw invalid(`invalid IP address: ${ip}`);
  const range = parseRange(port);
  if (range === undefined) throw invalid(`invalid containerPort: ${port}`);
  if (hostPort !== "") {
    const hostRange = parseRange(hostPort);
    if (hostRange === undefined) throw invalid(`invalid hostPort: ${hostPort}`);
    const length = range.end - range.start;
    if (length !== hostRange.end - hostRange.start && length !== 0)
      throw invalid(`invalid ranges specified for container and host Ports: ${port} and ${hostPort}`);
  }
  const keys: string[] = [];
  for (let number = range.start; number <= range.end; number++)
    keys.push(`${number}/${lower === "" ? "tcp" : lower}`);
  return keys;
}

function splitParts(text: string): {
  readonly ip: string;
  readonly hostPort: string;
  readonly containerPort: string;
} {
  const parts = text.split(":");
  const containerPort = parts.pop() ?? "";
  const hostPort = parts.pop() ?? "";
  return { ip: parts.join(":"), hostPort, containerPort };
}

function parseRange(text: string): { readonly start: number; readonly end: number } | undefined {
  const dash = text.indexOf("-");
  const start = parsePort(dash < 0 ? text : text.slice(0, dash));
  const end = dash < 0 ? start : parsePort(text.slice(dash + 1));
  if (start === undefined || end === undefined || end < start) return undefined;
  return { start, end };
}

function parsePort(text: string): number | undefined {
  if (!/^[+]?[0-9]{1,9}$/.test(text)) return undefined;
  const port = Number(text);
  return port > MAX_PORT ? undefined : port;
}

function invalid(message: string): BuildError {
  return new BuildError("DOCKERFILE_INVALID", message, {
    hint: "EXPOSE takes ports from 0 to 65535, e.g. 80, 8000-8010 or 53/udp",
  });
}
