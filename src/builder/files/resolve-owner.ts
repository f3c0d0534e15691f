import { FilesError } from "./error.ts";
import type { FileTree, Owner } from "./types.ts";
import { readGroups, readPasswd } from "./user-files.ts";

/**
 * Looks up the owner in `--chown=USER[:GROUP]`, or that of the folders a WORKDIR makes. Names come from the tree's own
 * /etc/passwd and /etc/group; unknown ones are silently 0, as in Docker. A lone number is the group's too. Nothing before
 * or behind the colon is 0: `u:` is not the group of `u`.
 *
 * @param tree undefined where no file system may be looked at: `FROM scratch` with no step before, and `--link`
 * @throws {FilesError} USER_NOT_FOUND for a name without a tree
 */
export function resolveOwner(spec: string, tree: FileTree | undefined): Owner {
  const colon = spec.indexOf(":");
  const user = colon < 0 ? spec : spec.slice(0, colon);
  const group = colon < 0 ? undefined : spec.slice(colon + 1);
  const lookUp = (): FileTree => {
    if (tree !== undefined) return tree;
    throw new FilesError("USER_NOT_FOUND", `Cannot look up "${spec}": invalid user index: -1`, {
      hint: "There is no /etc/passwd to find a name in here (FROM scratch or --link): write numbers",
    });
  };

  let uid = parseId(user);
  let gid = uid;
  if (uid === undefined) {
    const entry = readPasswd(lookUp()).find(({ name }) => name === user);
    uid = entry?.uid ?? 0;
    gid = entry?.gid ?? 0;
  }
  if (group !== undefined) {
    const number = parseId(group);
    gid = number ?? readGroups(lookUp()).find(({ name }) => name === group)?.gid ?? gid;
  }
  return { uid, gid: gid ?? 0 };
}

/** Does an owner name somebody that /etc/passwd or /etc/group has to be asked for? */
export function namesSomebody(spec: string): boolean {
  const colon = spec.indexOf(":");
  const parts = colon < 0 ? [spec] : [spec.slice(0, colon), spec.slice(colon + 1)];
  return parts.some((part) => parseId(part) === undefined);
}

const MAX_ID = 0x7fffffff;

/** Numbers that are too big are names, as in Docker. `root` needs no /etc/passwd. */
function parseId(text: string): number | undefined {
  if (text === "root" || text === "") return 0;
  if (!/^\+?\d+$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}
