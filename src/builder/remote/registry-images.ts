import { parseReference } from "../../oci/index.ts";
import type { OnRegistryEvent, RegistryClient, RegistryEvent } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import type { RemoteImages } from "../collaborators.ts";
import type { OnEvent } from "../events.ts";
import { runStep } from "../run-step.ts";
import { readKnownFrom } from "./known-documents.ts";
import { pushRecord } from "./push-record.ts";
import { pushWhileCompressing } from "./push-while-compressing.ts";
import { TagMeanings } from "./tag-meanings.ts";
import { reportTransfer } from "./transfer-events.ts";

export interface RegistryImagesOptions {
  /** Makes the client, once, when the first image is asked for; it is closed with the result. */
  readonly open: (onEvent: OnRegistryEvent) => Promise<RegistryClient>;
  /** Documents that are here are not fetched again; images that are pushed come from here. */
  readonly store: Store;
  readonly onEvent: OnEvent;
  readonly nowMs: () => number;
}

/**
 * Registries as a build needs them. The client is made when the first image is asked for: most builds find their bases
 * in the store.
 *
 * ```ts
 * using remote = createRegistryImages({
 *   open: async (onEvent) => new RegistryClient({ onEvent }),
 *   store,
 *   onEvent: () => undefined,
 *   nowMs: () => performance.now(),
 * });
 * ```
 */
export function createRegistryImages(options: RegistryImagesOptions): RemoteImages & Disposable {
  const { open, store, onEvent, nowMs } = options;
  /** Pushes that go on, by repository: the client's events say only what they are about. */
  const pushing = new Map<string, string>();
  const meanings = new TagMeanings();
  let opening: Promise<RegistryClient> | undefined;

  const report = (event: RegistryEvent): void => {
    if (event.kind === "warning") {
      onEvent({ kind: "warning", message: `${event.registry}: ${event.text}` });
      return;
    }
    const repository = "repository" in event ? `${event.registry}/${event.repository}` : undefined;
    const vertex = repository === undefined ? undefined : pushing.get(repository);
    const isPush = "direction" in event ? event.direction === "push" : true;
    if (vertex !== undefined && isPush) reportTransfer(event, vertex, onEvent);
  };
  const client = (): Promise<RegistryClient> => {
    opening ??= open(report);
    return opening;
  };

  return {
    async resolve(name, platform, { signal }) {
      const [{ fetchImageMetadata }, opened] = await Promise.all([
        import("../../registry/index.ts"),
        client(),
      ]);
      const readKnown = readKnownFrom(store);
      const image = await meanings.resolve(name, parseReference(name), (reference, { readKnown: known }) =>
        fetchImageMetadata(opened, reference, {
          platform,
          readKnown: async (descriptor) => (await known?.(descriptor)) ?? readKnown(descriptor),
          signal,
        }),
      );
      const { registry, repository } = image.reference;
      return {
        manifest: image.manifest.descriptor,
        manifestBytes: image.manifest.bytes,
        configBytes: image.config.bytes,
        ...(image.index === undefined ? {} : { index: image.index.descriptor }),
        blobs: opened.repository(image.reference),
        origin: `${registry}/${repository}`,
      };
    },
    blobs(origin) {
      const reference = parseReference(origin);
      return { openBlob: async (...args) => (await client()).repository(reference).openBlob(...args) };
    },
    expectPush: (name, { signal }) =>
      pushWhileCompressing(
        store,
        client().then((opened) => opened.repository(parseReference(name))),
        signal,
      ),
    async push(record, { vertex, byDigest = false, signal }) {
      const { registry, repository } = parseReference(record.reference);
      const key = `${registry}/${repository}`;
      const name = `pushing ${byDigest ? key : record.reference}`;
      const step = { vertex, name, onEvent, nowMs, signal };
      pushing.set(key, vertex);
      try {
        const pushed = await runStep(step, async () =>
          pushRecord(await client(), store, record, { byDigest, signal }),
        );
        return pushed.descriptor;
      } finally {
        pushing.delete(key);
      }
    },
    [Symbol.dispose]() {
      void opening?.then((opened) => opened.close());
    },
  };
}
