import { describe, expect, it } from "vitest";
import {
  convertIndex,
  convertManifest,
  type Descriptor,
  digestOf,
  type FetchedIndex,
  type FetchedManifest,
  type ImageFormat,
  type ImageIndex,
  type ImageManifest,
  isImageManifest,
  layerTypeIn,
  lostOf,
  MEDIA_TYPES,
} from "../../src/oci/index.ts";

const blob = (mediaType: string, text: string, more: Partial<Descriptor> = {}): Descriptor => ({
  mediaType,
  digest: digestOf(text),
  size: text.length,
  ...more,
});
function fetched(manifest: ImageManifest): FetchedManifest {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const { mediaType = "" } = manifest;
  return {
    kind: "manifest",
    manifest,
    bytes,
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
  };
}
function fetchedIndex(index: ImageIndex): FetchedIndex {
  const bytes = Buffer.from(JSON.stringify(index));
  const { mediaType = "" } = index;
  return {
    kind: "index",
    index,
    bytes,
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
  };
}
const image: ImageManifest = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociManifest,
  config: blob(MEDIA_TYPES.ociConfig, "config"),
  layers: [blob(MEDIA_TYPES.ociLayerGzip, "one"), blob(MEDIA_TYPES.ociLayer, "two")],
};
const FOREIGN = {
  oci: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  docker: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
};

describe("layerTypeIn()", () => {
  it.each([
    [MEDIA_TYPES.ociLayer, MEDIA_TYPES.dockerLayer],
    [MEDIA_TYPES.ociLayerGzip, MEDIA_TYPES.dockerLayerGzip],
    [FOREIGN.oci, FOREIGN.docker],
    [
      "application/vnd.oci.image.layer.nondistributable.v1.tar",
      "application/vnd.docker.image.rootfs.foreign.diff.tar",
    ],
  ])("knows %s in both formats", (oci, docker) => {
    for (const type of [oci, docker]) {
      expect(layerTypeIn("oci", type)).toBe(oci);
      expect(layerTypeIn("docker", type)).toBe(docker);
    }
  });

  it("has no type for zstd in Docker's format", () => {
    expect(layerTypeIn("oci", MEDIA_TYPES.ociLayerZstd)).toBe(MEDIA_TYPES.ociLayerZstd);
    expect(() => layerTypeIn("docker", MEDIA_TYPES.ociLayerZstd)).toThrow(/no layers compressed with zstd/);
  });
});

describe("convertManifest()", () => {
  it("changes types alone, and back again", () => {
    const docker = convertManifest(fetched(image), "docker");
    expect(docker).toEqual({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.dockerManifest,
      config: { ...image.config, mediaType: MEDIA_TYPES.dockerConfig },
      layers: [
        { ...image.layers[0], mediaType: MEDIA_TYPES.dockerLayerGzip },
        { ...image.layers[1], mediaType: MEDIA_TYPES.dockerLayer },
      ],
    });
    expect(convertManifest(fetched(docker), "oci")).toEqual(image);
  });

  it.each<ImageFormat>(["oci", "docker"])("leaves alone what has the types of %s already", (format) => {
    const document = fetched(format === "oci" ? image : convertManifest(fetched(image), "docker"));
    expect(convertManifest(document, format)).toBe(document.manifest);
  });

  it("keeps the addresses of layers that may not be passed on", () => {
    const layers = [blob(FOREIGN.docker, "base", { urls: ["https://example.com/base"] })];
    const manifest = {
      ...image,
      mediaType: MEDIA_TYPES.dockerManifest,
      config: blob(MEDIA_TYPES.dockerConfig, "config"),
      layers,
    };
    const oci = convertManifest(fetched(manifest), "oci");
    expect(oci.layers).toEqual([{ ...layers[0], mediaType: FOREIGN.oci }]);
    expect(convertManifest(fetched(oci), "docker").layers).toEqual(layers);
  });

  it("mends a manifest that mixes both", () => {
    const mixed = { ...image, layers: [blob(MEDIA_TYPES.dockerLayerGzip, "one")] };
    expect(convertManifest(fetched(mixed), "oci").layers).toEqual([image.layers[0]]);
  });

  it("drops what Docker's format has no place for, and lostOf() tells it", () => {
    const rich = {
      ...image,
      annotations: { a: "b" },
      subject: blob(MEDIA_TYPES.ociManifest, "subject"),
      layers: [blob(MEDIA_TYPES.ociLayerGzip, "one", { annotations: { title: "x" }, data: "b25l" })],
    };
    expect(lostOf(rich)).toEqual(["annotations", "subject"]);
    const docker = convertManifest(fetched(rich), "docker");
    expect(Object.keys(docker)).toEqual(["schemaVersion", "mediaType", "config", "layers"]);
    expect(docker.layers).toEqual([blob(MEDIA_TYPES.dockerLayerGzip, "one")]);
    expect(lostOf(docker)).toEqual([]);
  });

  it("refuses what is no image, naming its type", () => {
    const attestation = { ...image, layers: [blob("application/vnd.in-toto+json", "sbom")] };
    const artifact = { ...image, artifactType: "application/vnd.example.sbom" };
    const chart = { ...image, config: blob("application/vnd.cncf.helm.config.v1+json", "chart") };
    for (const [manifest, type] of [
      [attestation, "application/vnd.in-toto+json"],
      [artifact, "application/vnd.example.sbom"],
      [chart, "application/vnd.cncf.helm.config.v1+json"],
    ] as const) {
      expect(isImageManifest(manifest)).toBe(false);
      expect(() => convertManifest(fetched(manifest), "docker")).toThrow(`it holds "${type}"`);
      // OCI's format has a place for everything.
      expect(convertManifest(fetched(manifest), "oci")).toBe(manifest);
    }
  });

  it("knows an image also by layers that it has no types for, and does not convert these", () => {
    const encrypted = `${MEDIA_TYPES.ociLayerGzip}+encrypted`;
    const manifest = { ...image, layers: [blob(encrypted, "secret")] };
    expect(isImageManifest(manifest)).toBe(true);
    expect(() => convertManifest(fetched(manifest), "docker")).toThrow(`it holds "${encrypted}"`);
  });

  it("names the layer that is compressed with zstd", () => {
    const manifest = { ...image, layers: [blob(MEDIA_TYPES.ociLayerZstd, "zstd")] };
    expect(() => convertManifest(fetched(manifest), "docker")).toThrow(
      `layer "${digestOf("zstd")}" is compressed with zstd`,
    );
  });
});

describe("convertIndex()", () => {
  const entry = blob(MEDIA_TYPES.ociManifest, "image", {
    platform: { os: "linux", architecture: "arm64", variant: "v8" },
    annotations: { a: "b" },
  });
  const attestation = blob(MEDIA_TYPES.ociManifest, "attestation", {
    platform: { os: "unknown", architecture: "unknown" },
    annotations: {
      "vnd.docker.reference.type": "attestation-manifest",
      "vnd.docker.reference.digest": entry.digest,
    },
  });
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [entry, attestation],
  };
  const other = blob(MEDIA_TYPES.dockerManifest, "converted image");

  it("becomes a manifest list without attestations and annotations", () => {
    const list = convertIndex(fetchedIndex(index), "docker", () => other);
    expect(list).toEqual({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.dockerIndex,
      manifests: [{ ...other, platform: entry.platform }],
    });
    expect(lostOf(index)).toEqual(["annotations", "attestations"]);
  });

  it("drops attestations of manifests that are others now, and no others", () => {
    const same = (each: Descriptor): Descriptor => each;
    expect(convertIndex(fetchedIndex(index), "oci", same)).toBe(index);
    const changed = convertIndex(fetchedIndex(index), "oci", (each) => (each === entry ? other : each));
    expect(changed.manifests.map(({ digest }) => digest)).toEqual([other.digest]);
  });
});
