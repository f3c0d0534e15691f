import type { RuntimeRlimit } from "./oci-runtime.ts";

/**
 * Docker's long-standing number of open files. Without a limit of our own the command would get what Node
 * raised its own soft limit to, which may be a thousand million, and programs that close every possible
 * descriptor would take minutes.
 */
const DEFAULT_NOFILE = 1_048_576;

export interface Ulimit {
  readonly name: string;
  /** -1 for unlimited. */
  readonly soft: number;
  readonly hard: number;
}

/**
 * The rlimits of a command: what was asked for and a bounded number of open files, all of it cut to our own
 * hard limits unless we may raise those (`mayRaise`: CAP_SYS_RESOURCE in the first user namespace), because
 * the runtime fails when it can't set a limit.
 */
export function createRlimits(
  ulimits: readonly Ulimit[],
  host: { readonly hardLimits: ReadonlyMap<string, number>; readonly mayRaise: boolean },
): readonly RuntimeRlimit[] {
  const wanted = new Map<string, Ulimit>([
    ["nofile", { name: "nofile", soft: DEFAULT_NOFILE, hard: DEFAULT_NOFILE }],
  ]);
  const asked = new Set<string>();
  for (const ulimit of ulimits) {
    wanted.set(ulimit.name, ulimit);
    asked.add(ulimit.name);
  }
  return Array.from(wanted.values(), ({ name, soft, hard }) => {
    const bounded = host.mayRaise && asked.has(name);
    const most = bounded ? Number.POSITIVE_INFINITY : (host.hardLimits.get(name) ?? Number.POSITIVE_INFINITY);
    return {
      type: `RLIMIT_${name.toUpperCase()}`,
      soft: encodeLimit(Math.min(decodeLimit(soft), most)),
      hard: encodeLimit(Math.min(decodeLimit(hard), most)),
    };
  });
}

function decodeLimit(value: number): number {
  return value < 0 ? Number.POSITIVE_INFINITY : value;
}

/**
 * RLIM_INFINITY is 2^64-1, which JSON.stringify would print as 18446744073709552000: too large for the runtime.
 * `writeRuntimeSpec` puts the digits in place of this mark.
 */
export const UNLIMITED = -1;

function encodeLimit(value: number): number {
  return value === Number.POSITIVE_INFINITY ? UNLIMITED : value;
}
