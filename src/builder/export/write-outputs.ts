import {
  type Descriptor,
  type Digest,
  formatReference,
  parseReference,
  withDefaultTag,
} from "../../oci/index.ts";
import { BuildError } from "../error.ts";
import type { OutputSpec } from "../types.ts";
import { splitAnnotations } from "./annotations.ts";
import { exportFiles } from "./file-tree.ts";
import { type BuiltImage, blobsOf, type ManifestOptions, putIndex, putManifest } from "./image-documents.ts";
import { layoutFiles, writeArchive, writeFolder } from "./oci-archive.ts";
import type { OutputContext } from "./output-context.ts";
import { rewriteTimestamps } from "./rewrite-timestamps.ts";

/** What an output made, where it made one. */
interface Written {
  /** The manifest or index. */
  readonly manifest: Descriptor;
  /** The config of the (first) image as it was written. */
  readonly imageId: Digest;
}

/**
 * Hands a build's images on: names in the store, archives, folders, registries. Returns what the first output that
 * makes a manifest made.
 * @throws {BuildError} OUTPUT_FAILED, UNSUPPORTED
 */
export async function writeOutputs(
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<Written | undefined> {
  const { options } = context;
  let first: Written | undefined;
  const outputs: readonly OutputSpec[] =
    options.outputs.length === 0 ? [{ kind: "image", names: options.names, push: false }] : options.outputs;
  for (const output of outputs) {
    context.signal.throwIfAborted();
    const written = await withEvents(context, outputName(output), () => writeOutput(output, images, context));
    first ??= written;
  }
  return first;
}

async function writeOutput(
  output: OutputSpec,
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<Written | undefined> {
  switch (output.kind) {
    case "image":
      return storeImage(output, images, context);
    case "oci":
      return writeOciOutput(output, images, context);
    case "docker":
      return writeDockerOutput(output, images, context);
    case "local":
    case "tar":
      await exportFiles(output, images, context);
      return undefined;
    default:
      return output satisfies never;
  }
}

/** Names the image in the store, and pushes it where asked to. */
async function storeImage(
  output: OutputSpec & { readonly kind: "image" },
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<Written | undefined> {
  const { store, now, remote, options, signal } = context;
  const [image] = images;
  if (image === undefined) throw new TypeError("a build has at least one image");
  if (images.length > 1)
    throw new BuildError("UNSUPPORTED", "Cannot keep images of several platforms under one name yet", {
      hint: "Write them to an archive with -o type=oci,dest=FILE",
    });
  const annotations = splitAnnotations(options.annotations);
  const needsManifest = output.push || options.annotations.length > 0;
  const made = needsManifest ? await putManifest(image, context, { annotations }) : undefined;
  const names = output.names.map((name) => formatReference(withDefaultTag(parseReference(name))));
  // Without a name the image can still be found by its ID.
  for (const reference of names.length === 0 ? [image.configDescriptor.digest] : names) {
    await store.images.put({
      reference,
      imageId: image.configDescriptor.digest,
      ...(made === undefined ? {} : { manifest: made.descriptor }),
      platform: image.platform,
      createdAt: new Date(now()).toISOString(),
    });
    if (!output.push) continue;
    const record = await store.images.find(reference);
    if (record === undefined) throw new Error(`invariant: ${reference} was just stored`);
    await remote.push(record, { onEvent: options.onEvent, vertex: `push ${reference}`, signal });
  }
  if (names.length > 0) await store.images.remove(image.configDescriptor.digest);
  if (output.push && output.names.length === 0)
    throw new BuildError("OUTPUT_FAILED", "Cannot push: the image has no name", { hint: "Name it with -t" });
  return made === undefined
    ? undefined
    : { manifest: made.descriptor, imageId: image.configDescriptor.digest };
}

async function writeOciOutput(
  output: OutputSpec & { readonly kind: "oci" },
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<Written> {
  const { store, options, signal } = context;
  const annotations = splitAnnotations(options.annotations);
  const manifestOptions: ManifestOptions = {
    annotations,
    ...(output.compression === undefined ? {} : { compression: output.compression }),
    ...(output.compressionLevel === undefined ? {} : { level: output.compressionLevel }),
  };
  const blobs: Descriptor[] = [];
  const manifests: Descriptor[] = [];
  let imageId: Digest | undefined;
  for (const built of images) {
    const image = output.rewriteTimestamp === true ? await rewriteTimestamps(built, context) : built;
    const made = await putManifest(image, context, manifestOptions);
    blobs.push(...blobsOf(made.manifest), made.descriptor);
    manifests.push(made.descriptor);
    imageId ??= image.configDescriptor.digest;
  }
  let root = manifests[0] as Descriptor;
  if (images.length > 1) {
    const entries = manifests.map((entry, i) => ({ ...entry, platform: (images[i] as BuiltImage).platform }));
    root = await putIndex(store, entries, annotations);
    blobs.push(root);
  }
  const names = output.names.length > 0 ? output.names : options.names;
  const roots = names.length === 0 ? [root] : names.map((name) => named(root, name));
  const files = layoutFiles(roots, blobs, images.length > 1 ? {} : annotations.index);
  if (output.tar) await writeArchive(files, store.blobs, output.destination, signal);
  else if (typeof output.destination === "string")
    await writeFolder(files, store.blobs, output.destination, signal);
  else
    throw new BuildError("OUTPUT_FAILED", "Cannot write a folder to standard output", {
      hint: "Drop tar=false",
    });
  return { manifest: root, imageId: imageId as Digest };
}

/** A `docker load` archive: the config, plain layers and manifest.json, beside the OCI layout of the same blobs. */
async function writeDockerOutput(
  output: OutputSpec & { readonly kind: "docker" },
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<Written> {
  const [image] = images;
  if (image === undefined || images.length > 1)
    throw new BuildError("UNSUPPORTED", "Cannot write several platforms into one docker archive", {
      hint: "Use -o type=oci",
    });
  const { store, options, signal } = context;
  const made = await putManifest(image, context, { annotations: splitAnnotations(options.annotations) });
  const names = (output.names.length > 0 ? output.names : options.names).map((name) =>
    formatReference(withDefaultTag(parseReference(name))),
  );
  const blobPath = ({ digest }: Descriptor): string => `blobs/${digest.replace(":", "/")}`;
  const manifest = [
    {
      Config: blobPath(made.manifest.config),
      RepoTags: names,
      Layers: made.manifest.layers.map(blobPath),
    },
  ];
  const roots = names.length === 0 ? [made.descriptor] : names.map((name) => named(made.descriptor, name));
  const files = [
    ...layoutFiles(roots, [...blobsOf(made.manifest), made.descriptor]),
    { name: "manifest.json", bytes: Buffer.from(JSON.stringify(manifest)) },
  ];
  if (!output.tar)
    throw new BuildError("UNSUPPORTED", "Cannot write a docker archive as a folder", {
      hint: "Drop tar=false",
    });
  await writeArchive(files, store.blobs, output.destination, signal);
  return { manifest: made.descriptor, imageId: image.configDescriptor.digest };
}

function named(root: Descriptor, name: string): Descriptor {
  const reference = withDefaultTag(parseReference(name));
  return {
    ...root,
    annotations: {
      ...root.annotations,
      "io.containerd.image.name": formatReference(reference),
      "org.opencontainers.image.ref.name": reference.tag ?? formatReference(reference),
    },
  };
}

function outputName(output: OutputSpec): string {
  if (output.kind === "image")
    return output.names.length === 0 ? "exporting to image" : `naming to ${output.names.join(", ")}`;
  return `exporting to ${output.kind}`;
}

async function withEvents<T>(
  { options, monotonic, signal }: OutputContext,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const { onEvent } = options;
  onEvent({ kind: "step-started", vertex: name, name, atMs: monotonic() });
  let outcome: "done" | "failed" | "canceled" = "failed";
  try {
    const result = await work();
    outcome = "done";
    return result;
  } finally {
    if (outcome === "failed" && signal.aborted) outcome = "canceled";
    onEvent({ kind: "step-finished", vertex: name, atMs: monotonic(), outcome });
  }
}
