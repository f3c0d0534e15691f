/** A run of ids of the namespace and what they are outside. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/**
 * The ranges that /etc/subuid or /etc/subgid gives a user, in their order. Lines are `NAME-or-number:FIRST:COUNT`.
 * @see subuid(5)
 */
export function parseSubordinateIds(
  text: string,
  user: { readonly name: string | undefined; readonly id: number },
): readonly { readonly first: number; readonly count: number }[] {
  return text.split("\n").flatMap((line) => {
    const [owner, first = "", count = ""] = line.trim().split(":");
    if (owner !== user.name && owner !== String(user.id)) return [];
    const range = { first: Number.parseInt(first, 10), count: Number.parseInt(count, 10) };
    return range.first >= 0 && range.count > 0 ? [range] : [];
  });
}

/** 0 is the user itself; 1 and up are its subordinate ids, one range after the other. */
export function createIdMap(
  ownId: number,
  ranges: readonly { readonly first: number; readonly count: number }[],
): readonly IdRange[] {
  const map: IdRange[] = [{ inside: 0, outside: ownId, count: 1 }];
  let next = 1;
  for (const { first, count } of ranges) {
    map.push({ inside: next, outside: first, count });
    next += count;
  }
  return map;
}

/** The text of /proc/PID/uid_map or gid_map. */
export function parseIdMap(text: string): readonly IdRange[] {
  return text.split("\n").flatMap((line) => {
    const [inside = Number.NaN, outside = Number.NaN, count = Number.NaN] = line
      .trim()
      .split(/\s+/)
      .map(Number);
    return count > 0 ? [{ inside, outside, count }] : [];
  });
}

/** How many ids a namespace has. */
export function countIds(map: readonly IdRange[]): number {
  return map.reduce((sum, { count }) => sum + count, 0);
}
