import { FilesError } from "./error.ts";
import type { FileTree } from "./types.ts";
import { type PasswdEntry, readGroups, readPasswd } from "./user-files.ts";

/** Who a RUN runs as. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** The primary group first, then those that list the user as a member. */
  readonly additionalGids: readonly number[];
  /** Home folder from /etc/passwd, "/" when the user is not in it. */
  readonly home: string;
}

const MAX_ID = 0x7fffffff;

/**
 * Looks up a USER (`name`, `uid`, `name:group`, `uid:gid`; "" is root) in a tree's /etc/passwd and /etc/group.
 * Numbers need no entry there: then the group is 0.
 *
 * @throws {FilesError} USER_NOT_FOUND, GROUP_NOT_FOUND
 */
export function resolveUser(spec: string, tree: FileTree): ResolvedUser {
  const colon = spec.indexOf(":");
  const userPart = colon < 0 ? spec : spec.slice(0, colon);
  const groupPart = colon < 0 ? "" : spec.slice(colon + 1);
  const user = spec === "" ? "0" : userPart;
  const passwd = readPasswd(tree);
  const isExplicit = isNumberOrRoot(user) && isNumberOrRoot(groupPart);
  if (isExplicit) {
    const [uid, gid] = [user, groupPart].map((part) => (part === "root" ? 0 : (parseId(part) ?? 0))) as [
      number,
      number,
    ];
    return { uid, gid, additionalGids: [gid], home: homeOf(passwd, uid) };
  }

  const uidGiven = parseId(user);
  const entry = passwd.find(({ name, uid }) =>
    user === "" ? uid === 0 : uidGiven === undefined ? name === user : uid === uidGiven,
  );
  if (entry === undefined && uidGiven === undefined && user !== "")
    throw new FilesError(
      "USER_NOT_FOUND",
      `Cannot run as "${spec}": unable to find user ${user}: no matching entries in passwd file`,
      { hint: "Make the user in an earlier RUN, or use a number" },
    );
  const uid = entry?.uid ?? uidGiven ?? 0;
  const { gid, additionalGids } = resolveGroups(spec, { group: groupPart, entry, tree });
  return { uid, gid, additionalGids: withPrimary(gid, additionalGids), home: homeOf(passwd, uid) };
}

function resolveGroups(
  spec: string,
  options: { readonly group: string; readonly entry: PasswdEntry | undefined; readonly tree: FileTree },
): { readonly gid: number; readonly additionalGids: readonly number[] } {
  const { group, entry, tree } = options;
  if (group === "") {
    const userName = entry?.name ?? "";
    const gids = userName === "" ? [] : readGroups(tree).filter(({ members }) => members.includes(userName));
    return { gid: entry?.gid ?? 0, additionalGids: gids.map(({ gid }) => gid) };
  }
  const gidGiven = parseId(group);
  const found = readGroups(tree).find(({ name, gid }) =>
    gidGiven === undefined ? name === group : gid === gidGiven,
  );
  const gid = found?.gid ?? gidGiven;
  if (gid === undefined)
    throw new FilesError(
      "GROUP_NOT_FOUND",
      `Cannot run as "${spec}": unable to find group ${group}: no matching entries in group file`,
      { hint: "Make the group in an earlier RUN, or use a number" },
    );
  return { gid, additionalGids: [] };
}

function withPrimary(gid: number, others: readonly number[]): readonly number[] {
  return others.includes(gid) ? others : [gid, ...others];
}

/** As the container runtime sets HOME: by number, whatever name was used. */
function homeOf(passwd: readonly PasswdEntry[], uid: number): string {
  const home = passwd.find((entry) => entry.uid === uid)?.home ?? "";
  return home === "" ? "/" : home;
}

function isNumberOrRoot(text: string): boolean {
  return text === "root" || parseId(text) !== undefined;
}

function parseId(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0 || id > MAX_ID)
    throw new FilesError(
      "USER_NOT_FOUND",
      `Cannot use the id "${text}": uids and gids must be in range 0-${MAX_ID}`,
    );
  return id;
}
