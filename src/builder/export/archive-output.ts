import { CONTAINERD_NAME, REF_NAME } from "../../oci/image-layout.ts";
import { type Descriptor, formatReference, parseReference, withDefaultTag } from "../../oci/index.ts";
import { BuildError } from "../error.ts";
import type { OutputSpec } from "../types.ts";
import type { BuiltImage } from "./image-documents.ts";
import { allBlobs, type ImageSet, putImageSet } from "./image-set.ts";
import { type ArchiveFile, layoutFiles, writeArchive, writeFolder } from "./oci-archive.ts";
import type { OutputContext } from "./output-context.ts";

/** An OCI image layout with the images of all platforms, as a tar or a folder. @throws {BuildError} OUTPUT_FAILED */
export async function writeOciOutput(
  output: OutputSpec & { readonly kind: "oci" },
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<ImageSet> {
  const { store, options, signal } = context;
  const set = await putImageSet(images, context, { encoding: output, lazy: false });
  const files = layoutFiles(rootsOf(set, namesOf(output.names, options.names)), allBlobs(set));
  if (output.tar) await writeArchive(files, store.blobs, output.destination, signal);
  else if (typeof output.destination === "string")
    await writeFolder(files, store.blobs, output.destination, signal);
  else
    throw new BuildError("OUTPUT_FAILED", "Cannot write a folder to standard output", {
      hint: "Drop tar=false",
    });
  return set;
}

/** An archive for `docker load`. @throws {BuildError} OUTPUT_FAILED, UNSUPPORTED */
export async function writeDockerOutput(
  output: OutputSpec & { readonly kind: "docker" },
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<ImageSet> {
  if (images.length > 1)
    throw new BuildError("UNSUPPORTED", "Cannot write several platforms into one docker archive", {
      hint: "Use -o type=oci",
    });
  if (!output.tar)
    throw new BuildError("UNSUPPORTED", "Cannot write a docker archive as a folder", {
      hint: "Drop tar=false",
    });
  const { store, options, signal } = context;
  const set = await putImageSet(images, context, { encoding: output, lazy: false });
  const files = dockerFiles(set, namesOf(output.names, options.names));
  await writeArchive(files, store.blobs, output.destination, signal);
  return set;
}

/**
 * The files of a docker archive: manifest.json over config and layers, beside the OCI layout of the same blobs, which newer
 * engines prefer. Of several images manifest.json can name none.
 */
export function dockerFiles(set: ImageSet, names: readonly string[]): readonly ArchiveFile[] {
  const files = layoutFiles(rootsOf(set, names), allBlobs(set));
  const [{ document }, ...others] = set.images;
  if (others.length > 0) return files;
  const path = ({ digest }: Descriptor): string => `blobs/${digest.replace(":", "/")}`;
  const { config, layers } = document;
  const manifest = [{ Config: path(config), RepoTags: names.map(fullName), Layers: layers.map(path) }];
  return [...files, { name: "manifest.json", bytes: Buffer.from(JSON.stringify(manifest)) }];
}

function namesOf(own: readonly string[], ofBuild: readonly string[]): readonly string[] {
  return own.length > 0 ? own : ofBuild;
}

/** What index.json lists: the root once, or once for each name. */
function rootsOf({ root, images, index }: ImageSet, names: readonly string[]): readonly Descriptor[] {
  const unnamed = index === undefined ? { ...root, platform: images[0].platform } : root;
  return names.length === 0 ? [unnamed] : names.map((name) => named(unnamed, name));
}

function named(root: Descriptor, name: string): Descriptor {
  const reference = withDefaultTag(parseReference(name));
  return {
    ...root,
    annotations: {
      ...root.annotations,
      [CONTAINERD_NAME]: formatReference(reference),
      [REF_NAME]: reference.tag ?? formatReference(reference),
    },
  };
}

function fullName(name: string): string {
  return formatReference(withDefaultTag(parseReference(name)));
}
