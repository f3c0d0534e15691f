import type { Repository } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";

/** Smaller layers are compressed in no time, and asking first whether the registry has them saves more. */
const LEAST_TAR_BYTES = 8 * 1024 * 1024;

/**
 * From now on layers go to the repository while they are compressed. One that has been compressed before is left out: the
 * registry may have it. Ends when the result is disposed of; what is on its way goes on.
 */
export function pushWhileCompressing(
  store: Store,
  repository: Repository | Promise<Repository>,
  signal: AbortSignal | undefined,
): Disposable {
  const opening = Promise.resolve(repository);
  opening.catch(() => undefined); // the push itself will tell
  return store.layers.watchBlobs((blob, layer) => {
    if (layer?.blob !== undefined || (layer?.tarSize ?? 0) < LEAST_TAR_BYTES) return;
    opening.then(
      (opened) => opened.pushGrowing(blob, { signal }),
      () => undefined,
    );
  });
}
