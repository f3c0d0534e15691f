/** More than the cores can work on, so that none waits for this thread to read, hash and write. */
export function blocksAtOnce(parallelism: number): number {
  return parallelism + 2;
}

/**
 * Runs `work` on several values at once and yields the results in the order of the values. Leaving waits for the
 * work under way, so that nothing of it surfaces later.
 * @param limit values worked on at once
 */
export async function* mapInOrder<T, R>(
  values: AsyncIterable<T>,
  limit: number,
  work: (value: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const pending: Promise<R>[] = [];
  try {
    for await (const value of values) {
      pending.push(work(value));
      if (pending.length >= limit) yield await (pending.shift() as Promise<R>);
    }
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) yield await next;
  } finally {
    await Promise.allSettled(pending);
  }
}
