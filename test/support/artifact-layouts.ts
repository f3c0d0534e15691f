import { gzipSync } from "node:zlib";
import { bytesOnce } from "../../src/oci/bytes-once.ts";
import { type ByteString, digestOf, type LayerEntry } from "../../src/oci/index.ts";
import { type ArtifactContents, copyImage, packArtifact, UNPACK } from "../../src/registry/index.ts";
import { FolderWriter, nameAnnotations } from "../../src/store/transports/index.ts";
import { END_OF_ARCHIVE_BYTES, encodeHeader, paddingOf } from "../../src/tar/index.ts";

/** A layer as whoever makes artifacts may write it: nothing is checked. */
export interface MadeLayer {
  readonly title?: string;
  readonly content: Uint8Array | string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Puts an artifact into an OCI layout, which is made where it is missing. */
export async function writeArtifact(
  folder: string,
  tag: string,
  layers: readonly MadeLayer[],
  contents: Partial<ArtifactContents> = {},
): Promise<void> {
  const { descriptor, source } = packArtifact({
    artifactType: "application/vnd.example",
    files: layers.map(({ title, content, annotations }) => {
      const bytes = Buffer.from(content);
      const blob = { mediaType: "application/x", digest: digestOf(bytes), size: bytes.byteLength };
      return {
        ...(title === undefined ? {} : { title }),
        descriptor: annotations === undefined ? blob : { ...blob, annotations },
        open: async ({ offset }) => bytesOnce(bytes.subarray(offset)),
      };
    }),
    ...contents,
  });
  const writer = await FolderWriter.open(folder);
  const copied = await copyImage({
    from: source,
    name: descriptor.digest,
    to: writer,
    pushBlob: async (blob, open) => {
      await writer.writeBlob(blob, open);
      return { kind: "uploaded" };
    },
    tags: [],
  });
  await writer.finish([{ ...copied.descriptor, annotations: nameAnnotations(tag) }]);
}

/** A tar of entries as they are given, also of those that nobody should write. */
export function tarOf(
  entries: readonly (Pick<LayerEntry, "kind"> & {
    readonly path: string;
    readonly link?: string;
    readonly content?: string;
    readonly mode?: number;
  })[],
): Buffer {
  const parts = entries.flatMap(({ kind, path, link, content = "", mode = 0o755 }) => [
    encodeHeader({
      kind,
      path: path as ByteString,
      ...(link === undefined ? {} : { link: link as ByteString }),
      mode,
      uid: 0,
      gid: 0,
      mtimeSeconds: 0,
      size: content.length,
    }),
    Buffer.from(content),
    Buffer.alloc(paddingOf(content.length)),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(END_OF_ARCHIVE_BYTES)]);
}

/** A layer that is to be unpacked. */
export function folderLayer(
  title: string,
  entries: Parameters<typeof tarOf>[0],
  annotations: Readonly<Record<string, string>> = {},
): MadeLayer {
  return { title, content: gzipSync(tarOf(entries)), annotations: { [UNPACK]: "true", ...annotations } };
}
