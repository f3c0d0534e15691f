import { parseIdMap } from "./id-map.ts";

/**
 * The environment variable that tells a process which `enterUserNamespace` started who the user outside is: its uid.
 * There the process is root, while its home, its store and its configuration are still the user's.
 */
export const OUTER_UID_VARIABLE = "STRAKE_OUTER_UID";

/**
 * The uid outside, when we are in a namespace that `enterUserNamespace` made. The variable alone proves nothing: it may
 * have come along through sudo, so it must agree with the namespace's own map.
 * @param facts.marker the variable's value
 * @param facts.uidMap text of /proc/self/uid_map
 */
export function findOuterUid(facts: {
  readonly marker: string | undefined;
  readonly uidMap: string;
}): number | undefined {
  const root = parseIdMap(facts.uidMap).find(({ inside }) => inside === 0);
  if (facts.marker === undefined || root === undefined || root.outside === 0) return undefined;
  return facts.marker === String(root.outside) ? root.outside : undefined;
}
