import { type ByteString, digestOf, MEDIA_TYPES } from "../../src/oci/index.ts";
import { END_OF_ARCHIVE_BYTES, encodeHeader, paddingOf } from "../../src/tar/index.ts";

/** A file of an archive to be made: content, or where a link points. */
export interface ArchivedFile {
  readonly name: string;
  readonly content?: Uint8Array | string;
  readonly symlink?: string;
  readonly hardlink?: string;
}

/** A plain tar of these files, in this order, with nothing checked. */
export function tarOf(files: readonly ArchivedFile[]): Buffer {
  const parts = files.flatMap(({ name, content, symlink, hardlink }) => {
    const link = symlink ?? hardlink;
    const bytes = Buffer.from(content ?? "");
    const kind = symlink !== undefined ? "symlink" : hardlink !== undefined ? "hardlink" : "file";
    const header = encodeHeader({
      path: name as ByteString,
      kind,
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: bytes.length,
      mtimeSeconds: 0,
      ...(link === undefined ? {} : { link: link as ByteString }),
    });
    return [header, bytes, Buffer.alloc(paddingOf(bytes.length))];
  });
  return Buffer.concat([...parts, Buffer.alloc(END_OF_ARCHIVE_BYTES)]);
}

/** A tiny image: layers with one file each, and the config that names them. */
export interface TinyImage {
  readonly layers: readonly Buffer[];
  readonly config: Buffer;
  readonly imageId: string;
}

export function tinyImage(texts: readonly string[], architecture = "amd64"): TinyImage {
  const layers = texts.map((text) => tarOf([{ name: `file-${text}`, content: text.repeat(1000) }]));
  const config = Buffer.from(
    JSON.stringify({
      os: "linux",
      architecture,
      config: { Cmd: ["/x"] },
      rootfs: { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) },
      history: texts.map((text) => ({ created_by: `COPY ${text}` })),
    }),
  );
  return { layers, config, imageId: digestOf(config) };
}

const hexOf = (bytes: Uint8Array): string => digestOf(bytes).slice("sha256:".length);

/** `docker save` before 25: a folder for each layer, of which equal ones are links to the first. */
export function oldDockerArchive(images: readonly { image: TinyImage; tags: readonly string[] }[]): Buffer {
  const files = new Map<string, ArchivedFile>();
  const manifest = images.map(({ image, tags }, at) => {
    const config = `${image.imageId.slice(7)}.json`;
    files.set(config, { name: config, content: image.config });
    const layers = image.layers.map((layer, i) => {
      const name = `${hexOf(Buffer.from(`${at}-${i}`))}/layer.tar`;
      const twin = [...files.values()].find(
        ({ content }) => content !== undefined && Buffer.from(content).equals(layer),
      );
      files.set(name, twin === undefined ? { name, content: layer } : { name, symlink: `../${twin.name}` });
      return name;
    });
    return { Config: config, RepoTags: tags.length === 0 ? null : tags, Layers: layers };
  });
  return tarOf([
    ...files.values(),
    { name: "manifest.json", content: JSON.stringify(manifest) },
    { name: "repositories", content: "{}" },
  ]);
}

/** `podman save` and `skopeo copy … docker-archive:`: layers by diffID, with the old names as links to them. */
export function podmanArchive(image: TinyImage, tag: string): Buffer {
  const layers = image.layers.map((layer) => ({ name: `${hexOf(layer)}.tar`, content: layer }));
  const config = { name: `${image.imageId.slice(7)}.json`, content: image.config };
  const manifest = [{ Config: config.name, RepoTags: [tag], Layers: layers.map(({ name }) => name) }];
  return tarOf([
    ...layers,
    config,
    ...layers.map(({ name }, i) => ({ name: `${i}/layer.tar`, symlink: `../${name}` })),
    { name: "manifest.json", content: JSON.stringify(manifest) },
  ]);
}

/** `docker save` from 25 on: an image layout with uncompressed layers, and manifest.json beside it. */
export function newDockerArchive(image: TinyImage, names: readonly string[]): Buffer {
  const blob = (content: Buffer): ArchivedFile => ({ name: `blobs/sha256/${hexOf(content)}`, content });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, digest: image.imageId, size: image.config.length },
      layers: image.layers.map((layer) => ({
        mediaType: MEDIA_TYPES.ociLayer,
        digest: digestOf(layer),
        size: layer.length,
      })),
    }),
  );
  const index = {
    schemaVersion: 2,
    manifests: names.map((name) => ({
      mediaType: MEDIA_TYPES.ociManifest,
      digest: digestOf(manifest),
      size: manifest.length,
      annotations: {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.split(":").at(-1),
      },
    })),
  };
  const list = [
    {
      Config: blob(image.config).name,
      RepoTags: names,
      Layers: image.layers.map((layer) => blob(layer).name),
    },
  ];
  return tarOf([
    ...[image.config, manifest, ...image.layers].map(blob),
    { name: "index.json", content: JSON.stringify(index) },
    { name: "manifest.json", content: JSON.stringify(list) },
    { name: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
  ]);
}
