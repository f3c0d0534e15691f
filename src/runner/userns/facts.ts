import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { findProgram } from "../process/find-program.ts";

/** What decides whether and how an ordinary user gets a user namespace with many ids. */
export interface UserNamespaceFacts {
  readonly uid: number;
  readonly gid: number;
  /** Undefined for a user without an entry in the user database. */
  readonly userName: string | undefined;
  /** Texts of /etc/subuid and /etc/subgid; empty where there is none. */
  readonly subuid: string;
  readonly subgid: string;
  /** Text of /proc/self/uid_map. */
  readonly uidMap: string;
  /** Whether set-user-ID programs such as newuidmap have no effect for us. */
  readonly noNewPrivileges: boolean;
  /** By name, as `user.max_user_namespaces`; only those that this kernel has. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** Absolute paths of the programs that are there. */
  readonly programs: ReadonlyMap<string, string>;
}

const SYSCTLS: readonly string[] = [
  "kernel.unprivileged_userns_clone",
  "user.max_user_namespaces",
  "kernel.apparmor_restrict_unprivileged_userns",
];

const NAMESPACE_PROGRAMS: readonly string[] = ["unshare", "setpriv", "newuidmap", "newgidmap"];

/** @param searchPath the PATH in which to look for programs */
export function readUserNamespaceFacts(searchPath: string): UserNamespaceFacts {
  return {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    userName: readUserName(),
    subuid: readIfThere("/etc/subuid") ?? "",
    subgid: readIfThere("/etc/subgid") ?? "",
    uidMap: readIfThere("/proc/self/uid_map") ?? "",
    noNewPrivileges: /^NoNewPrivs:\s*1$/m.test(readIfThere("/proc/self/status") ?? ""),
    sysctls: pickDefined(SYSCTLS, (name) => readIfThere(`/proc/sys/${name.replaceAll(".", "/")}`)?.trim()),
    programs: pickDefined(NAMESPACE_PROGRAMS, (name) => findProgram(name, searchPath)),
  };
}

function pickDefined(
  names: readonly string[],
  find: (name: string) => string | undefined,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of names) {
    const value = find(name);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

function readUserName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined; // a uid without a passwd entry, as in many containers
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // not on this kernel or machine
  }
}
