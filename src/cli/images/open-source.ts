import { originsOf } from "../../builder/remote/index.ts";
import {
  type BlobSource,
  type Descriptor,
  type Digest,
  formatReference,
  type ManifestSource,
  parseReference,
} from "../../oci/index.ts";
import { ensureManifest } from "../registry/ensure-manifest.ts";
import { findImage } from "./find-images.ts";
import { hasName } from "./names.ts";
import type { ImagePlace } from "./place.ts";
import { storeSource } from "./store-blobs.ts";
import type { Workbench } from "./workbench.ts";

/** An image to be copied. */
export interface OpenedSource extends AsyncDisposable {
  readonly from: ManifestSource & BlobSource;
  /** What to ask `from` for. */
  readonly name: string;
  /** What it is called where it comes from, in full; undefined where it has no name. */
  readonly fullName: string | undefined;
  /** `registry/repository`, for an image in a registry. */
  readonly origin: string | undefined;
  /** Repositories that may have a blob, from which it may be mounted. */
  readonly mountFrom: (blob: Descriptor) => Promise<readonly string[]>;
  readonly referrersOf: (subject: Digest) => Promise<readonly Descriptor[]>;
}

const NOWHERE = async (): Promise<readonly never[]> => [];

/** @throws {TransportError} @throws {CliError} IMAGE_NOT_FOUND */
export async function openSource(place: ImagePlace, bench: Workbench): Promise<OpenedSource> {
  const { signal } = bench.context;
  switch (place.kind) {
    case "registry": {
      const { reference } = place;
      const from = (await bench.client()).repository(reference);
      const origin = `${reference.registry}/${reference.repository}`;
      return {
        from,
        name: reference.digest ?? reference.tag ?? "latest",
        fullName: formatReference(reference),
        origin,
        mountFrom: async () => [origin],
        referrersOf: (subject) => from.listReferrers(subject, { signal }),
        [Symbol.asyncDispose]: async () => undefined,
      };
    }
    case "store": {
      const store = await bench.store();
      const found = await findImage(store.images, place.name);
      const record = await ensureManifest(store, found, signal);
      const root = record.images === undefined ? record.manifest : (record.index ?? record.manifest);
      return {
        from: storeSource(store, () => bench.client()),
        name: root.digest,
        fullName: hasName(record) ? record.reference : undefined,
        origin: undefined,
        mountFrom: (blob) => originsOf(store, blob),
        referrersOf: NOWHERE,
        [Symbol.asyncDispose]: async () => undefined,
      };
    }
    case "oci":
    case "oci-archive":
      return await openLayout(place, bench);
    case "docker-archive":
      return await openDockerArchive(place, bench);
    default:
      return place satisfies never;
  }
}

type FilePlace = Extract<ImagePlace, { readonly path: string }>;

async function openLayout(place: FilePlace, bench: Workbench): Promise<OpenedSource> {
  const { FolderFiles, OciLayout, openArchive, TransportError } = await import(
    "../../store/transports/index.ts"
  );
  const { path, shown, name } = place;
  const { signal } = bench.context;
  const archive =
    place.kind === "oci"
      ? undefined
      : await openArchive(path, { shown, tempFolder: await bench.tempFolder(), signal });
  try {
    const layout = await OciLayout.open(archive ?? new FolderFiles(path, shown));
    if (layout === undefined) {
      throw new TransportError("ARCHIVE_INVALID", `Cannot use "${shown}": it is no OCI image layout`, {
        hint:
          archive === undefined ? "It has no index.json" : `If docker save made it: docker-archive:${shown}`,
      });
    }
    const { digest } = layout.find(name);
    return {
      from: layout,
      name: digest,
      fullName: fullNameOf(layout.images.find(({ descriptor }) => descriptor.digest === digest)?.names ?? []),
      origin: undefined,
      mountFrom: NOWHERE,
      referrersOf: (subject) => layout.listReferrers(subject),
      [Symbol.asyncDispose]: async () => archive?.[Symbol.asyncDispose](),
    };
  } catch (error) {
    await archive?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function openDockerArchive(place: FilePlace, bench: Workbench): Promise<OpenedSource> {
  const transports = await import("../../store/transports/index.ts");
  const { path, shown, name } = place;
  const { signal } = bench.context;
  const tempFolder = await bench.tempFolder();
  const archive = await transports.openArchive(path, { shown, tempFolder, signal });
  try {
    const image = await transports.openDockerImage(archive, name);
    const from = await transports.DockerSource.open(archive, image, { tempFolder, signal });
    return {
      from,
      name: from.digest,
      fullName: fullNameOf(image.repoTags),
      origin: undefined,
      mountFrom: NOWHERE,
      referrersOf: NOWHERE,
      [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
    };
  } catch (error) {
    await archive[Symbol.asyncDispose]();
    throw error;
  }
}

/** The first that is a whole name: a tag alone says nothing outside its layout. */
function fullNameOf(names: readonly string[]): string | undefined {
  for (const name of names) {
    if (!name.includes(":") && !name.includes("/")) continue;
    try {
      return formatReference(parseReference(name));
    } catch {
      // An annotation may hold anything.
    }
  }
  return undefined;
}
