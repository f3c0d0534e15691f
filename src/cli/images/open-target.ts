import {
  type BlobOpener,
  type Descriptor,
  type Digest,
  type FetchedDocument,
  formatReference,
  isImageConfigType,
  type ManifestSink,
  parseReference,
  shortDigest,
} from "../../oci/index.ts";
import type { CopyImageOptions, PushedImage } from "../../registry/index.ts";
import { CliError, usageError } from "../error.ts";
import { fullName } from "./names.ts";
import type { OpenedSource } from "./open-source.ts";
import type { ImagePlace } from "./place.ts";
import { recordRoot } from "./record-root.ts";
import type { Workbench } from "./workbench.ts";

/** Where an image is copied to. Disposing takes back what was not finished. */
export interface OpenedTarget extends AsyncDisposable {
  readonly to: ManifestSink;
  readonly pushBlob: CopyImageOptions["pushBlob"];
  readonly forgetBlobs?: CopyImageOptions["forgetBlobs"];
  /** Refuses what does not fit the target's name, before anything is copied. */
  readonly onRoot?: CopyImageOptions["onRoot"];
  /** Tags that the copy itself gives; other targets name the image when they are finished. */
  readonly tags: readonly string[];
  /** Whether it takes an index; else one platform's image has to be chosen. */
  readonly takesIndexes: boolean;
  /** Names the image, once all of it is there; returns what it is called now. */
  finish(copied: PushedImage): Promise<string>;
}

interface TargetOptions {
  readonly source: OpenedSource;
  readonly bench: Workbench;
  /** The step that transfers are told of. */
  readonly vertex: string;
}

/** @throws {TransportError} @throws {CliError} USAGE */
export async function openTarget(place: ImagePlace, options: TargetOptions): Promise<OpenedTarget> {
  switch (place.kind) {
    case "registry":
      return await openRepository(place, options);
    case "store":
      return await openStoreTarget(place, options);
    case "oci":
    case "oci-archive":
    case "docker-archive":
      return place.kind === "oci" ? await openFolder(place, options) : await openArchiveFile(place, options);
    default:
      return place satisfies never;
  }
}

type RegistryPlace = Extract<ImagePlace, { readonly kind: "registry" }>;
type StorePlace = Extract<ImagePlace, { readonly kind: "store" }>;
type FilePlace = Extract<ImagePlace, { readonly path: string }>;

const NOTHING = async (): Promise<void> => undefined;

async function openRepository(
  { reference }: RegistryPlace,
  { source, bench }: TargetOptions,
): Promise<OpenedTarget> {
  const repository = (await bench.client()).repository(reference);
  const { digest, tag } = reference;
  return {
    to: repository,
    pushBlob: async (blob, open, signal) =>
      await repository.pushBlob(blob, open, { mountFrom: await source.mountFrom(blob), signal }),
    forgetBlobs: (blobs) => repository.forgetBlobs(blobs),
    tags: digest !== undefined || tag === undefined ? [] : [tag],
    takesIndexes: true,
    onRoot: (root) => {
      if (digest === undefined || digest === root.digest) return;
      throw usageError(
        `Cannot copy to "${formatReference(reference)}": the image has digest "${root.digest}"`,
        "Name a tag, or nothing behind the repository",
      );
    },
    finish: async ({ descriptor }) => `${formatReference({ ...reference, digest: descriptor.digest })}`,
    [Symbol.asyncDispose]: NOTHING,
  };
}

async function openStoreTarget(place: StorePlace, options: TargetOptions): Promise<OpenedTarget> {
  const reference = fullName(place.name);
  const { source, bench } = options;
  const store = await bench.store();
  return {
    to: {
      pushManifest: (bytes, { mediaType }) => store.blobs.putBytes(bytes, mediaType),
    },
    pushBlob: pushInto(store.blobs, options),
    tags: [],
    takesIndexes: true,
    finish: async ({ descriptor }) => {
      const image = await recordRoot(store, descriptor, { shown: place.text, origin: source.origin });
      const createdAt = new Date(bench.context.now()).toISOString();
      await store.images.put({ reference, ...image, createdAt });
      return `${reference}@${descriptor.digest}`;
    },
    [Symbol.asyncDispose]: NOTHING,
  };
}

async function openFolder(place: FilePlace, options: TargetOptions): Promise<OpenedTarget> {
  const { FolderWriter, nameAnnotations } = await import("../../store/transports/index.ts");
  const { path, shown, name } = place;
  const writer = await FolderWriter.open(path, shown);
  return {
    to: writer,
    pushBlob: pushInto(writer, options),
    tags: [],
    takesIndexes: true,
    finish: async ({ descriptor }) => {
      const annotations = name === undefined ? {} : { annotations: nameAnnotations(name) };
      await writer.finish([{ ...descriptor, ...annotations }]);
      return `${place.text}@${descriptor.digest}`;
    },
    [Symbol.asyncDispose]: NOTHING,
  };
}

async function openArchiveFile(place: FilePlace, options: TargetOptions): Promise<OpenedTarget> {
  const { ArchiveFile, ArchiveWriter, nameAnnotations } = await import("../../store/transports/index.ts");
  const { path, shown, name, kind } = place;
  const { source } = options;
  const isDocker = kind === "docker-archive";
  const given = isDocker ? dockerName(name, source) : undefined;
  const file = await ArchiveFile.create(path, shown);
  const writer = new ArchiveWriter(file);
  return {
    to: writer,
    pushBlob: pushInto(writer, options),
    tags: [],
    takesIndexes: !isDocker,
    finish: async ({ descriptor, document }) => {
      const annotations =
        given !== undefined
          ? nameAnnotations(parseReference(given).tag ?? "latest", given)
          : name !== undefined && !isDocker
            ? nameAnnotations(name)
            : undefined;
      const root = annotations === undefined ? descriptor : { ...descriptor, annotations };
      const docker = isDocker
        ? [
            {
              ...dockerEntry(document),
              // The whole name: podman takes a short one for a name of its own, localhost/….
              repoTags: given === undefined ? [] : [given],
            },
          ]
        : undefined;
      await writer.finish([root], docker);
      await file.commit();
      return `${place.text}@${descriptor.digest}`;
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

/** `docker load` names images by what the archive says: what was asked for, else what the source calls it. */
function dockerName(name: string | undefined, source: OpenedSource): string | undefined {
  if (name !== undefined) return fullName(name);
  return source.fullName === undefined || source.fullName.includes("@") ? undefined : source.fullName;
}

/** What manifest.json says of a manifest. @throws {CliError} INPUT_UNUSABLE for what is no single image */
export function dockerEntry(document: FetchedDocument): {
  readonly config: Digest;
  readonly layers: readonly Digest[];
} {
  if (document.kind === "index")
    throw new CliError(
      "INPUT_UNUSABLE",
      `Cannot put index "${document.descriptor.digest}" into a docker archive`,
    );
  const { config, layers } = document.manifest;
  if (!isImageConfigType(config.mediaType))
    throw new CliError(
      "INPUT_UNUSABLE",
      `Cannot put artifact "${document.descriptor.digest}" into a docker archive: it is no image`,
      {
        hint: "An OCI image layout takes it: oci:DIR, oci-archive:FILE",
      },
    );
  return { config: config.digest, layers: layers.map((layer) => layer.digest) };
}

interface BlobTarget {
  hasBlob(descriptor: Descriptor): Promise<boolean>;
  writeBlob(
    descriptor: Descriptor,
    open: BlobOpener,
    options: { readonly signal: AbortSignal; readonly onBytes: (count: number) => void },
  ): Promise<void>;
}

/** Writes a blob where it is not there yet, and tells of it. */
export function pushInto(
  target: BlobTarget,
  { bench: { onEvent }, vertex }: Pick<TargetOptions, "bench" | "vertex">,
): CopyImageOptions["pushBlob"] {
  return async (descriptor, open, signal) => {
    const { digest, size } = descriptor;
    const item = shortDigest(digest);
    if (await target.hasBlob(descriptor)) {
      onEvent({
        kind: "step-output",
        vertex,
        stream: "stderr",
        chunk: Buffer.from(`${item} is already there\n`),
      });
      return { kind: "present" };
    }
    let done = 0;
    onEvent({ kind: "step-bytes", vertex, item, done, total: size });
    await target.writeBlob(descriptor, open, {
      signal,
      onBytes: (count) => {
        done += count;
        onEvent({ kind: "step-bytes", vertex, item, done, total: size });
      },
    });
    if (done < size) onEvent({ kind: "step-bytes", vertex, item, done: size, total: size });
    return { kind: "uploaded" };
  };
}
