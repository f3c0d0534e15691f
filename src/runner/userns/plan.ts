import type { UserNamespaceFacts } from "./facts.ts";
import { countIds, createIdMap, type IdRange, parseIdMap, parseSubordinateIds } from "./id-map.ts";

export type UserNamespaceAnswer =
  /** We are root, of the machine or of a namespace with ids enough: nothing to do. */
  { readonly kind: "not-needed" } | UserNamespacePlan | UserNamespaceProblem;

export interface UserNamespacePlan {
  readonly kind: "plan";
  readonly uidMap: readonly IdRange[];
  readonly gidMap: readonly IdRange[];
  /** Absolute paths. */
  readonly unshare: string;
  readonly setpriv: string;
  readonly newuidmap: string;
  readonly newgidmap: string;
}

/** Why it can't be done here, and what the reader can do about it. */
export interface UserNamespaceProblem {
  readonly kind: "problem";
  readonly reason: string;
  readonly cure: string;
}

/**
 * How the user gets a namespace in which it is root and has the ids 1 to 65535 or so beside, as files of images need
 * them. Pure. What can't be known beforehand (an AppArmor profile may or may not let us) is for `explainRefusal`.
 */
export function planUserNamespace(facts: UserNamespaceFacts): UserNamespaceAnswer {
  if (facts.uid === 0) return checkOwnMap(facts);
  const forbidden = findForbidden(facts);
  if (forbidden !== undefined) return forbidden;

  const [unshare, setpriv] = [facts.programs.get("unshare"), facts.programs.get("setpriv")];
  if (unshare === undefined || setpriv === undefined)
    return problem(
      "there is no unshare or setpriv of util-linux in PATH",
      "Install it: apt-get install util-linux",
    );
  const [newuidmap, newgidmap] = [facts.programs.get("newuidmap"), facts.programs.get("newgidmap")];
  if (newuidmap === undefined || newgidmap === undefined)
    return problem("there is no newuidmap or newgidmap in PATH", "Install them: apt-get install uidmap");

  const user = { name: facts.userName, id: facts.uid };
  const uids = parseSubordinateIds(facts.subuid, user);
  if (uids.length === 0) return missingIds(facts, "/etc/subuid");
  const gids = parseSubordinateIds(facts.subgid, user);
  if (gids.length === 0) return missingIds(facts, "/etc/subgid");
  return {
    kind: "plan",
    uidMap: createIdMap(facts.uid, uids),
    gidMap: createIdMap(facts.gid, gids),
    ...{ unshare, setpriv, newuidmap, newgidmap },
  };
}

/**
 * What most likely made the kernel or a helper refuse a plan that looked good.
 * @param message what the failing program printed
 */
export function explainRefusal(facts: UserNamespaceFacts, message: string): UserNamespaceProblem {
  const reason = message.trim() === "" ? "the system refused it" : message.trim().replaceAll("\n", "; ");
  if (facts.sysctls.get("kernel.apparmor_restrict_unprivileged_userns") === "1")
    return problem(
      reason,
      "AppArmor restricts user namespaces here: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    );
  if (/newuidmap|newgidmap/.test(reason))
    return problem(
      reason,
      "newuidmap and newgidmap must be set-user-ID root or have the capabilities cap_setuid and cap_setgid, and the ids must not be in use twice in /etc/subuid and /etc/subgid",
    );
  return problem(reason, "Inside a container it must be allowed to make user namespaces (seccomp, AppArmor)");
}

/** Root of a namespace that has no other ids, as `unshare --map-root-user` makes it, can't own what images contain. */
function checkOwnMap(facts: UserNamespaceFacts): UserNamespaceAnswer {
  if (countIds(parseIdMap(facts.uidMap)) > 1) return { kind: "not-needed" };
  return problem(
    "this user namespace has a single user id",
    "Start strake as the ordinary user instead, which enters a namespace with all its subordinate ids, or map more ids",
  );
}

function findForbidden(facts: UserNamespaceFacts): UserNamespaceProblem | undefined {
  if (facts.sysctls.get("kernel.unprivileged_userns_clone") === "0")
    return problem(
      "ordinary users may not make user namespaces (kernel.unprivileged_userns_clone is 0)",
      "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    );
  if (facts.sysctls.get("user.max_user_namespaces") === "0")
    return problem(
      "user namespaces are switched off (user.max_user_namespaces is 0)",
      "sudo sysctl -w user.max_user_namespaces=28633",
    );
  if (facts.noNewPrivileges)
    return problem(
      "newuidmap can't work in a process that may not gain privileges (no_new_privs is set)",
      "In Kubernetes set allowPrivilegeEscalation: true; with Docker leave out --security-opt no-new-privileges",
    );
  return undefined;
}

function missingIds(facts: UserNamespaceFacts, file: string): UserNamespaceProblem {
  const name = facts.userName ?? String(facts.uid);
  return problem(
    `the user "${name}" has no subordinate ids in ${file}`,
    facts.userName === undefined
      ? `As root: echo ${facts.uid}:100000:65536 | tee -a /etc/subuid >> /etc/subgid`
      : `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name}`,
  );
}

function problem(reason: string, cure: string): UserNamespaceProblem {
  return { kind: "problem", reason, cure };
}
