import { usageError } from "../error.ts";

/** `KEY=VALUE` split at the first `=`; value undefined where there is none. */
export function splitPair(text: string): { readonly key: string; readonly value: string | undefined } {
  const equals = text.indexOf("=");
  return equals < 0
    ? { key: text, value: undefined }
    : { key: text.slice(0, equals), value: text.slice(equals + 1) };
}

const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i;
const SIZE_UNITS = ["", "k", "m", "g", "t", "p"];

/**
 * Bytes from `64m`, `1.5g`, `512kb`, `65536`: units are powers of 1024, as in Docker.
 * @throws {CliError} USAGE
 */
export function parseSize(text: string, flag: string): number {
  const match = SIZE.exec(text);
  const bytes =
    match === null
      ? Number.NaN
      : Number(match[1]) * 1024 ** SIZE_UNITS.indexOf((match[2] ?? "").toLowerCase());
  if (!Number.isSafeInteger(Math.floor(bytes))) {
    throw usageError(
      `Cannot read ${flag} "${text}" as a size`,
      "Give bytes, or a number with k, m or g: 64m",
    );
  }
  return Math.floor(bytes);
}

/**
 * Go's spellings of a boolean, as Docker's comma-separated flags take them.
 * @throws {CliError} USAGE
 */
export function parseBooleanValue(text: string, what: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw usageError(`Cannot read ${what} "${text}": it is either true or false`);
}

const ULIMIT_NAMES: ReadonlySet<string> = new Set(
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(
    " ",
  ),
);

export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/**
 * `nofile=1024:2048`, `core=0`; -1 is unlimited.
 * @throws {CliError} USAGE
 */
export function parseUlimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(text);
  if (match === null)
    throw usageError(
      `Cannot read --ulimit: invalid ulimit argument: ${text}`,
      "Write NAME=SOFT or NAME=SOFT:HARD",
    );
  const [, name = "", softText, hardText = softText] = match;
  if (!ULIMIT_NAMES.has(name)) {
    throw usageError(
      `Cannot read --ulimit "${text}": invalid ulimit type: ${name}`,
      `Limits are ${[...ULIMIT_NAMES].join(", ")}`,
    );
  }
  const soft = Number(softText);
  const hard = Number(hardText);
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw usageError(`Cannot set --ulimit "${text}": the soft limit is above the hard one`);
  }
  return { name, soft, hard };
}

export interface ExtraHost {
  readonly name: string;
  readonly address: string;
}

/**
 * `name:10.0.0.1`, `name=10.0.0.1`, `name:[::1]`. `host-gateway` is this machine, which a step on the host's network
 * reaches at the loopback address.
 * @throws {CliError} USAGE
 */
export function parseExtraHost(text: string, isAddress: (text: string) => boolean): ExtraHost {
  const match = /^([^:=]+)[:=](.+)$/.exec(text);
  if (match === null) throw usageError(`Cannot read --add-host: invalid host ${text}`, "Write NAME:ADDRESS");
  const [, name = "", given = ""] = match;
  const address = given === "host-gateway" ? "127.0.0.1" : given.replace(/^\[(.*)\]$/, "$1");
  if (!isAddress(address))
    throw usageError(`Cannot read --add-host: invalid host ${text}: "${given}" is no IP address`);
  return { name, address };
}
