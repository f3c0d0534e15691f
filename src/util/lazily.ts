/**
 * A constant that is made when it is first needed. For what takes a noticeable part of a millisecond to make (patterns over
 * Unicode's properties, lexers, grammars) and is seldom used: what a program loads at its start, its user waits for.
 */
export function lazily<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
