import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MEDIA_TYPES } from "../../../src/oci/index.ts";
import { putJson } from "../../support/attested-index.ts";
import { tinyImage } from "../../support/image-archives.ts";
import { EditBench } from "./support.ts";

/** The same content in other bytes. */
const deflateLess = (content: Uint8Array): Uint8Array => gzipSync(content, { level: 0 });

describe("edit", () => {
  let bench: EditBench;

  beforeAll(async () => {
    bench = await EditBench.start();
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());

  it("shows what would change, and changes nothing", async () => {
    const from = bench.seen.length;
    const run = await bench.strake(
      "edit",
      "-q",
      "--dry-run",
      "--platform",
      "linux/amd64",
      "--label",
      "a=\u001b[31m",
      "--cmd",
      "[]",
      `${bench.host}/app:1`,
    );
    expect(run.code).toBe(0);
    expect(run.stdout.split("\n").slice(0, 4)).toEqual([
      "linux/amd64",
      '  - config.Cmd[0] "/x"',
      '  + config.Labels.a "\\u001b[31m"',
      "  + config.ArgsEscaped true",
    ]);
    expect(bench.seen.slice(from).filter((request) => !/^(?:GET|HEAD) /.test(request))).toEqual([]);
  });

  it("shows what --format changes, too", async () => {
    const run = await bench.strake(
      "edit",
      "-q",
      "--dry-run",
      "--format",
      "docker",
      "--platform",
      "linux/amd64",
      "--user",
      "x",
      `${bench.host}/app:1`,
    );
    expect(run.stdout).toContain(`- manifest.mediaType "${MEDIA_TYPES.ociManifest}"`);
    expect(run.stdout).toContain(`+ manifest.mediaType "${MEDIA_TYPES.dockerManifest}"`);
    expect(run.stdout).toContain('+ config.User "x"');
    expect(run.stdout).toContain(`+ index.mediaType "${MEDIA_TYPES.dockerIndex}"`);
  });

  it("tells of two images with one config what is different in each", async () => {
    const { layers, config } = tinyImage(["twice"], "amd64");
    const images = [gzipSync, deflateLess].map((compress) => {
      const manifest = {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        config: bench.blobs.put(config, MEDIA_TYPES.ociConfig),
        layers: layers.map((layer) => bench.blobs.put(compress(layer), MEDIA_TYPES.ociLayerGzip)),
      };
      const platform = { os: "linux", architecture: "amd64" };
      return { ...putJson(bench.blobs, manifest, MEDIA_TYPES.ociManifest), platform };
    });
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: images };
    await bench.push(`${bench.host}/twins:1`, putJson(bench.blobs, index, MEDIA_TYPES.ociIndex));
    for (const format of ["oci", "docker"]) {
      const run = await bench.strake(
        "edit",
        "-q",
        "--dry-run",
        "--json",
        "--user",
        "x",
        "--format",
        format,
        `${bench.host}/twins:1`,
      );
      const shown = JSON.parse(run.stdout) as {
        readonly images: readonly {
          readonly before: string;
          readonly differences: readonly { path: string }[];
        }[];
      };
      expect(shown.images.map(({ before }) => before)).toEqual(images.map(({ digest }) => digest));
      const paths = shown.images.flatMap(({ differences }) => differences.map(({ path }) => path));
      expect(paths.some((path) => path.startsWith("manifest.layers"))).toBe(format === "docker");
      expect(paths.filter((path) => path === "config.User")).toHaveLength(2);
    }
  });
});
