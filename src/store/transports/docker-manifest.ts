import { decodeImageConfig, MAX_CONFIG_BYTES } from "../../oci/decode-image-config.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import { OciError } from "../../oci/error.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import type { Compression } from "../../oci/media-types.ts";
import { formatFamiliarReference, parseReference } from "../../oci/reference.ts";
import { detectCompression } from "../../tar/compression.ts";
import { nearest } from "../../util/nearest.ts";
import { TransportError } from "./error.ts";
import type { FileSet } from "./file-set.ts";

const MAX_MANIFEST_JSON_BYTES = 8 * 1024 * 1024;
const MAX_IMAGES = 10_000;
const MAX_LAYERS = 10_000;

/** One entry of the `manifest.json` that `docker save` writes. */
export interface DockerManifestEntry {
  readonly config: string;
  readonly repoTags: readonly string[];
  readonly layers: readonly string[];
}

/** An image of a `docker save` archive. */
export interface DockerImage {
  readonly configBytes: Uint8Array;
  readonly config: ImageConfig;
  readonly imageId: Digest;
  readonly repoTags: readonly string[];
  /** Lowest first. */
  readonly layers: readonly DockerLayer[];
}

export interface DockerLayer {
  /** The file in the archive. */
  readonly name: string;
  readonly diffId: Digest;
  readonly size: number;
  readonly compression: Compression;
}

/**
 * What an archive's manifest.json lists; undefined when it has none.
 * @throws {TransportError} ARCHIVE_INVALID
 */
export async function readDockerManifest(
  files: FileSet,
): Promise<readonly DockerManifestEntry[] | undefined> {
  const bytes = await files.read("manifest.json", MAX_MANIFEST_JSON_BYTES);
  if (bytes === undefined) return undefined;
  const fail = (fault: string): TransportError =>
    new TransportError("ARCHIVE_INVALID", `Cannot read "manifest.json" of "${files.shown}": ${fault}`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw fail("it is not JSON");
  }
  if (!Array.isArray(value)) throw fail("it is no list");
  if (value.length > MAX_IMAGES) throw fail(`it lists more than ${MAX_IMAGES} images`);
  return value.map((entry: unknown, at) => {
    const { Config, RepoTags, Layers } = (entry ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof Config !== "string" || Config === "") throw fail(`image ${at} has no "Config"`);
    return {
      config: Config,
      repoTags: texts(RepoTags, () => fail(`"RepoTags" of image ${at} is no list of names`)),
      layers: texts(Layers, () => fail(`"Layers" of image ${at} is no list of files`)),
    };
  });
}

function texts(value: unknown, fault: () => TransportError): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_LAYERS) throw fault();
  if (value.some((item) => typeof item !== "string")) throw fault();
  return value as readonly string[];
}

/**
 * The entry that is meant: by a name of its `RepoTags`, by `@N` for the Nth from 0, without a name the only one.
 * @throws {TransportError} NO_IMAGE, NO_SUCH_IMAGE, IMAGE_AMBIGUOUS
 */
function pickDockerEntry(
  entries: readonly DockerManifestEntry[],
  { name, shown }: { readonly name: string | undefined; readonly shown: string },
): DockerManifestEntry {
  const [only, second] = entries;
  if (only === undefined) throw new TransportError("NO_IMAGE", `Cannot use "${shown}": it holds no image`);
  const names = entries.flatMap(({ repoTags }) => repoTags);
  if (name === undefined) {
    if (second === undefined) return only;
    throw new TransportError("IMAGE_AMBIGUOUS", `Cannot use "${shown}": it holds ${entries.length} images`, {
      hint: `Name one behind a colon: ${names.join(", ") || "@0, @1, …"}`,
    });
  }
  const number = /^@(\d{1,5})$/.exec(name)?.[1];
  const found =
    number === undefined
      ? entries.find(({ repoTags }) => repoTags.some((own) => isSameName(own, name)))
      : entries[Number(number)];
  if (found !== undefined) return found;
  const guess = nearest(name, names);
  const there = names.length === 0 ? "Its images have no names" : `It has ${names.join(", ")}`;
  throw new TransportError("NO_SUCH_IMAGE", `Cannot find "${name}" in "${shown}"`, {
    hint: guess === undefined ? there : `Did you mean "${guess}"?`,
  });
}

function isSameName(own: string, wanted: string): boolean {
  if (own === wanted) return true;
  try {
    const withTag = wanted.includes(":") ? wanted : `${wanted}:latest`;
    return formatFamiliarReference(parseReference(own)) === formatFamiliarReference(parseReference(withTag));
  } catch {
    return false;
  }
}

/**
 * Reads an entry's config and finds its layers. Their content is not looked at yet but for its first bytes.
 * @throws {TransportError} ARCHIVE_INVALID
 */
export async function readDockerImage(files: FileSet, entry: DockerManifestEntry): Promise<DockerImage> {
  const fail = (fault: string, cause?: unknown): TransportError =>
    new TransportError("ARCHIVE_INVALID", `Cannot read an image of "${files.shown}": ${fault}`, { cause });
  const configBytes = await files.read(clean(entry.config), MAX_CONFIG_BYTES);
  if (configBytes === undefined) throw fail(`its config "${entry.config}" is not there`);
  let config: ImageConfig;
  try {
    config = decodeImageConfig(configBytes);
  } catch (error) {
    if (error instanceof OciError) throw fail(`its config "${entry.config}" is none`, error);
    throw error;
  }
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== entry.layers.length) {
    throw fail(`it lists ${entry.layers.length} layers, but its config ${diffIds.length}`);
  }
  const layers: DockerLayer[] = [];
  for (const [i, file] of entry.layers.entries()) {
    const name = clean(file);
    const size = await files.sizeOf(name);
    if (size === undefined) throw fail(`its layer "${file}" is not there`);
    const compression = await compressionOf(files, name);
    if (compression === undefined) throw fail(`its layer "${file}" is compressed neither with gzip nor zstd`);
    layers.push({ name, diffId: diffIds[i] as Digest, size, compression });
  }
  return { configBytes, config, imageId: digestOf(configBytes), repoTags: entry.repoTags, layers };
}

/** As names are kept: archives and manifests may write `./` in front. A name with `..` is found nowhere. */
function clean(name: string): string {
  return name.replace(/^(?:\.\/)+/, "");
}

async function compressionOf(files: FileSet, name: string): Promise<Compression | undefined> {
  let head: Uint8Array = new Uint8Array();
  for await (const chunk of files.open(name)) {
    head = chunk;
    break;
  }
  const found = detectCompression(head);
  switch (found) {
    case "none":
    case "lzma": // a plain tar can begin so; no layer is lzma
      return "none";
    case "gzip":
    case "zstd":
      return found;
    default:
      return undefined;
  }
}

/**
 * The image of a `docker save` archive that is meant; see `pickDockerEntry`.
 * @throws {TransportError} ARCHIVE_INVALID, NO_IMAGE, NO_SUCH_IMAGE, IMAGE_AMBIGUOUS
 */
export async function openDockerImage(files: FileSet, name: string | undefined): Promise<DockerImage> {
  const { shown } = files;
  const entries = await readDockerManifest(files);
  if (entries === undefined) {
    throw new TransportError("ARCHIVE_INVALID", `Cannot use "${shown}": it has no manifest.json`, {
      hint: `If it is an OCI image layout: oci-archive:${shown}`,
    });
  }
  return await readDockerImage(files, pickDockerEntry(entries, { name, shown }));
}
