/**
 * Which repositories to try mounting a blob from, best first: those that share the longest path with the target (and
 * so, likely, its permissions). The larger the blob, the more tries it is worth.
 */
export function chooseMountCandidates(
  known: readonly string[],
  target: { readonly registry: string; readonly repository: string; readonly size: number },
): readonly string[] {
  const { registry, repository, size } = target;
  const prefix = `${registry}/`;
  const candidates = known.flatMap((name) => {
    // A name from another registry would be taken for one of this one.
    if (!name.startsWith(prefix)) return [];
    const candidate = name.slice(prefix.length);
    return candidate === repository ? [] : [candidate];
  });
  const ranked = [...new Set(candidates)]
    .map((candidate, place) => ({ candidate, place, shared: sharedParts(candidate, repository) }))
    .sort((a, b) => b.shared - a.shared || a.place - b.place);
  return ranked.slice(0, triesFor(size)).map(({ candidate }) => candidate);
}

function triesFor(size: number): number {
  if (size >= 64 * 1024 * 1024) return 4;
  return size >= 1024 * 1024 ? 2 : 1;
}

function sharedParts(a: string, b: string): number {
  const left = a.split("/");
  const right = b.split("/");
  let shared = 0;
  while (shared < left.length && left[shared] === right[shared]) shared++;
  return shared;
}
