import { decodeDescriptor } from "../../oci/decode-manifest.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { OciError } from "../../oci/error.ts";
import {
  asArray,
  asDigest,
  asObject,
  asString,
  isAbsent,
  type JsonObject,
  type Located,
  member,
  parseJsonObject,
} from "../../oci/json-shape.ts";
import type { ImageRecord } from "../types.ts";

const MAX_RECORD_BYTES = 1024 * 1024;

/** Go knows a few dozen platforms. */
const MAX_IMAGES = 1000;

/** Reads an image record; undefined for anything that is none. */
export function decodeImageRecord(content: Uint8Array): ImageRecord | undefined {
  const what = "image record";
  try {
    const object = parseJsonObject(content, { what, maxBytes: MAX_RECORD_BYTES });
    const text = (name: string): string => asString(member(object, name), what);
    return {
      reference: text("reference"),
      imageId: asDigest(member(object, "imageId"), what),
      ...optional(object, "manifest", what),
      ...optional(object, "index", what),
      ...decodeImages(object, what),
      platform: decodePlatform(member(object, "platform"), what),
      createdAt: text("createdAt"),
    };
  } catch (error) {
    if (error instanceof OciError) return undefined;
    throw error;
  }
}

export function encodeImageRecord(record: ImageRecord): string {
  const { reference, imageId, manifest, index, images, platform, createdAt } = record;
  const document = { reference, imageId, manifest, index, images, platform, createdAt };
  return `${JSON.stringify(document, null, 1)}\n`;
}

function optional<Name extends string>(
  object: JsonObject,
  name: Name,
  what: string,
): { readonly [K in Name]?: Descriptor } {
  const located = member(object, name);
  if (isAbsent(located)) return {};
  return { [name]: decodeDescriptor(located, what) } as { readonly [K in Name]: Descriptor };
}

function decodeImages(object: JsonObject, what: string): Pick<ImageRecord, "images"> {
  const located = member(object, "images");
  if (isAbsent(located)) return {};
  const images = asArray(located, what, MAX_IMAGES).map((each) => {
    const image = asObject(each, what);
    return {
      imageId: asDigest(member(image, "imageId"), what),
      manifest: decodeDescriptor(member(image, "manifest"), what),
      platform: decodePlatform(member(image, "platform"), what),
    };
  });
  return { images };
}

function decodePlatform(located: Located, what: string): ImageRecord["platform"] {
  const object = asObject(located, what);
  asString(member(object, "os"), what);
  asString(member(object, "architecture"), what);
  return object as unknown as ImageRecord["platform"];
}
