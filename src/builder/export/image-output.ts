import { type Digest, formatReference, parseReference, withDefaultTag } from "../../oci/index.ts";
import type { ImageRecord } from "../../store/types.ts";
import { BuildError } from "../error.ts";
import type { ImageOutput } from "../types.ts";
import type { BuiltImage } from "./image-documents.ts";
import { type ImageSet, idOfSet, putImageSet } from "./image-set.ts";
import { isMultiPlatform } from "./is-multi-platform.ts";
import type { OutputContext } from "./output-context.ts";

/**
 * Names the images in the store, and pushes them where asked to. A manifest is made only where somebody needs it: of a
 * single image that is just kept, the config is enough.
 * @throws {BuildError} OUTPUT_FAILED, UNSUPPORTED
 */
export async function writeImageOutput(
  output: ImageOutput,
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<ImageSet | undefined> {
  const { store, now } = context;
  const [image] = images;
  if (image === undefined) throw new TypeError("a build has at least one image");
  if (output.push && output.names.length === 0)
    throw new BuildError("OUTPUT_FAILED", "Cannot push: the image has no name", { hint: "Name it with -t" });
  const [firstName] = output.names;
  // Layers that are compressed now are on their way while the next ones are.
  using _early =
    output.push && firstName !== undefined
      ? context.remote.expectPush?.(formatReference(withDefaultTag(parseReference(firstName))), {
          signal: context.signal,
        })
      : undefined;
  const set = needsManifest(output, context)
    ? await putImageSet(images, context, { encoding: output, lazy: true })
    : undefined;
  const unnamed: ImageRecord = {
    ...(set === undefined
      ? {
          reference: image.configDescriptor.digest,
          imageId: image.configDescriptor.digest,
          platform: image.platform,
        }
      : recordMembers(set)),
    createdAt: new Date(now()).toISOString(),
  };
  const names = output.names.map((name) => formatReference(withDefaultTag(parseReference(name))));
  if (output.store !== false) {
    if (names.length === 0 || output.pushByDigest === true) {
      // Without a name the image can still be found by its ID.
      await store.images.put(unnamed);
    } else {
      for (const reference of names) await store.images.put({ ...unnamed, reference });
      await store.images.remove(unnamed.reference);
    }
  }
  if (output.push) await pushAll(names, unnamed, output, context);
  return set;
}

function needsManifest(output: ImageOutput, { options }: OutputContext): boolean {
  if (output.push || isMultiPlatform(options) || options.annotations.length > 0) return true;
  const {
    names: _names,
    kind: _kind,
    push: _push,
    pushByDigest: _byDigest,
    store: _store,
    ...encoding
  } = output;
  return Object.keys(encoding).length > 0;
}

function recordMembers(set: ImageSet): Omit<ImageRecord, "createdAt"> {
  const { images, index } = set;
  const [{ imageId, manifest, platform }] = images;
  return {
    reference: idOfSet(set) satisfies Digest,
    imageId,
    manifest,
    platform,
    ...(index === undefined
      ? {}
      : {
          index,
          images: images.map((each) => ({
            imageId: each.imageId,
            manifest: each.manifest,
            platform: each.platform,
          })),
        }),
  };
}

async function pushAll(
  names: readonly string[],
  record: ImageRecord,
  { pushByDigest = false }: ImageOutput,
  { remote, options, signal }: OutputContext,
): Promise<void> {
  const { onEvent } = options;
  const pushed = new Set<string>();
  for (const name of names) {
    const { registry, repository } = parseReference(name);
    // By digest all tags of a repository are one.
    const shown = pushByDigest ? `${registry}/${repository}` : name;
    if (pushed.has(shown)) continue;
    pushed.add(shown);
    await remote.push(
      { ...record, reference: name },
      { onEvent, vertex: `push ${shown}`, byDigest: pushByDigest, signal },
    );
  }
}
