import type { Descriptor } from "./descriptor.ts";
import {
  asArray,
  asDigest,
  asObject,
  asSize,
  asString,
  asStringMap,
  asStrings,
  invalid,
  isAbsent,
  type JsonObject,
  type Located,
  member,
  parseJsonObject,
} from "./json-shape.ts";
import type { ImageIndex, ImageManifest } from "./manifest.ts";
import { isIndexType, isManifestType, MEDIA_TYPES } from "./media-types.ts";
import type { Platform } from "./platform.ts";

/** Manifests and indexes past this are refused: registries bound them at 4 MiB, so nothing real is near. */
export const MAX_MANIFEST_BYTES = 8 * 1024 * 1024;
const MAX_DESCRIPTORS = 10_000;

/** A manifest or an index, told apart. `mediaType` is what to store and push it as. */
export type ManifestDocument =
  | { readonly kind: "manifest"; readonly mediaType: string; readonly manifest: ImageManifest }
  | { readonly kind: "index"; readonly mediaType: string; readonly index: ImageIndex };

/**
 * Decodes a manifest or an index from its bytes. What it is comes from `mediaType` inside; failing that from
 * `statedType` (a Content-Type or a descriptor); failing that from its members. Members not known here are kept.
 * @throws {OciError} DOCUMENT_INVALID, naming the member that is wrong; also for Docker's schema 1, and for a
 * document that is a manifest and an index at once (two programs could read two different images out of it)
 */
export function decodeManifestDocument(content: Uint8Array, statedType?: string): ManifestDocument {
  const what = "manifest";
  const object = parseJsonObject(content, { what, maxBytes: MAX_MANIFEST_BYTES });
  if (object["schemaVersion"] === 1 || object["fsLayers"] !== undefined) {
    throw invalid(what, "it is Docker's schema 1, which this program does not read");
  }
  const hasManifests = !isAbsent(member(object, "manifests"));
  const hasLayers = !isAbsent(member(object, "layers")) || !isAbsent(member(object, "config"));
  if (hasManifests && hasLayers) throw invalid(what, 'it has both "manifests" and "layers" or "config"');
  const inside = isAbsent(member(object, "mediaType"))
    ? undefined
    : asString(member(object, "mediaType"), what);
  const type = [inside, statedType].find(
    (candidate) => candidate !== undefined && (isIndexType(candidate) || isManifestType(candidate)),
  );
  const isIndex = type === undefined ? hasManifests : isIndexType(type);
  if (isIndex ? hasLayers : hasManifests) {
    throw invalid(
      what,
      `its type is "${type}" but its members are those of ${isIndex ? "an image" : "an index"}`,
    );
  }
  if (isIndex) {
    return { kind: "index", mediaType: type ?? MEDIA_TYPES.ociIndex, index: indexFrom(object, what) };
  }
  return {
    kind: "manifest",
    mediaType: type ?? MEDIA_TYPES.ociManifest,
    manifest: manifestFrom(object, what),
  };
}

/** Decodes the manifest of one image. @throws {OciError} DOCUMENT_INVALID */
export function decodeManifest(content: Uint8Array): ImageManifest {
  const document = decodeManifestDocument(content);
  if (document.kind === "manifest") return document.manifest;
  throw invalid("manifest", "it is an index");
}

/** Decodes an index (or Docker's manifest list). @throws {OciError} DOCUMENT_INVALID */
export function decodeIndex(content: Uint8Array): ImageIndex {
  const document = decodeManifestDocument(content, MEDIA_TYPES.ociIndex);
  if (document.kind === "index") return document.index;
  throw invalid("index", "it is the manifest of one image");
}

/** Decodes one descriptor. `what` and the path go into messages. @throws {OciError} DOCUMENT_INVALID */
export function decodeDescriptor(located: Located, what: string): Descriptor {
  const object = asObject(located, what);
  const at = (name: string): Located => member(object, name, located.path);
  const { urls, annotations, data, artifactType, platform, ...others } = object;
  return {
    ...others,
    mediaType: isAbsent(at("mediaType")) ? "" : asString(at("mediaType"), what),
    digest: asDigest(at("digest"), what),
    size: asSize(at("size"), what),
    ...(isAbsent(at("urls")) ? {} : { urls: asStrings(at("urls"), what) }),
    ...(isAbsent(at("annotations")) ? {} : { annotations: asStringMap(at("annotations"), what) }),
    ...(isAbsent(at("data")) ? {} : { data: asString(at("data"), what) }),
    ...(isAbsent(at("artifactType")) ? {} : { artifactType: asString(at("artifactType"), what) }),
    ...(isAbsent(at("platform")) ? {} : { platform: platformFrom(at("platform"), what) }),
  };
}

function manifestFrom(object: JsonObject, what: string): ImageManifest {
  return {
    ...commonMembers(object, what),
    config: decodeDescriptor(member(object, "config"), what),
    layers: descriptors(member(object, "layers"), what),
  };
}

function indexFrom(object: JsonObject, what: string): ImageIndex {
  return { ...commonMembers(object, what), manifests: descriptors(member(object, "manifests"), what) };
}

function commonMembers(object: JsonObject, what: string): Omit<ImageIndex, "manifests"> {
  const { mediaType, artifactType, subject, annotations, manifests, config, layers, ...others } = object;
  const version = member(object, "schemaVersion");
  if (version.value !== 2) throw invalid(what, `"schemaVersion" is ${JSON.stringify(version.value)}, not 2`);
  const at = (name: string): Located => member(object, name);
  return {
    ...others,
    schemaVersion: 2,
    ...(isAbsent(at("mediaType")) ? {} : { mediaType: asString(at("mediaType"), what) }),
    ...(isAbsent(at("artifactType")) ? {} : { artifactType: asString(at("artifactType"), what) }),
    ...(isAbsent(at("subject")) ? {} : { subject: decodeDescriptor(at("subject"), what) }),
    ...(isAbsent(at("annotations")) ? {} : { annotations: asStringMap(at("annotations"), what) }),
  };
}

function descriptors(located: Located, what: string): readonly Descriptor[] {
  if (isAbsent(located)) return [];
  return asArray(located, what, MAX_DESCRIPTORS).map((item) => decodeDescriptor(item, what));
}

function platformFrom(located: Located, what: string): Platform {
  const object = asObject(located, what);
  const text = (name: string): string => {
    const found = member(object, name, located.path);
    return isAbsent(found) ? "" : asString(found, what);
  };
  const variant = text("variant");
  const version = text("os.version");
  const features = member(object, "os.features", located.path);
  return {
    os: text("os"),
    architecture: text("architecture"),
    ...(variant === "" ? {} : { variant }),
    ...(version === "" ? {} : { "os.version": version }),
    ...(isAbsent(features) ? {} : { "os.features": asStrings(features, what) }),
  };
}
