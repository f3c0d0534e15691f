import { describe, expect, it } from "vitest";
import { type BaseImage, type ImageContent, rebaseImage } from "../../../src/builder/edit/index.ts";
import { digestOf, type HistoryEntry, type ImageConfig, MEDIA_TYPES } from "../../../src/oci/index.ts";

function content(
  layers: readonly string[],
  history: readonly HistoryEntry[] | undefined,
  more: Partial<ImageConfig> = {},
): ImageContent {
  return {
    config: {
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) },
      ...(history === undefined ? {} : { history }),
      ...more,
    },
    layers: layers.map((layer) => ({
      mediaType: MEDIA_TYPES.ociLayerGzip,
      digest: digestOf(`blob of ${layer}`),
      size: layer.length,
    })),
  };
}
const base = (shown: string, ...args: Parameters<typeof content>): BaseImage => ({
  ...content(...args),
  shown,
});
const layer = (created_by: string): HistoryEntry => ({ created_by });
const empty = (created_by: string): HistoryEntry => ({ created_by, empty_layer: true });

const oldHistory = [layer("ADD old 1"), empty("ENV A=1"), layer("ADD old 2"), empty("CMD sh")];
const from = base("base:1", ["old 1", "old 2"], oldHistory, { config: { Env: ["A=1"] } });
const to = base("base:2", ["new"], [layer("ADD new"), empty("ENV A=2")], {
  config: { Env: ["A=2"] },
  variant: "v2",
});
const image = content(["old 1", "old 2", "own"], [...oldHistory, empty("LABEL x"), layer("COPY own")], {
  config: { Env: ["A=1"], Labels: { x: "" } },
});

describe("rebaseImage()", () => {
  it("puts the image's own layers and history onto the new base, and keeps its config", () => {
    const after = rebaseImage(image, { from, to });
    expect(after.layers).toEqual([...to.layers, image.layers[2]]);
    expect(after.config).toEqual({
      ...image.config,
      variant: "v2",
      rootfs: { type: "layers", diff_ids: [digestOf("new"), digestOf("own")] },
      history: [layer("ADD new"), empty("ENV A=2"), empty("LABEL x"), layer("COPY own")],
    });
  });

  it("comes back where it was", () => {
    const there = rebaseImage(image, { from, to });
    const { variant: _variant, ...config } = rebaseImage(there, { from: to, to: from }).config;
    expect(config).toEqual(image.config);
  });

  it("changes nothing between bases of the same layers", () => {
    const twin = base("twin", ["old 1", "old 2"], [layer("other")]);
    expect(rebaseImage(image, { from, to: twin })).toBe(image);
  });

  it("finds the end of the base by its layers where the histories differ", () => {
    const rewritten = content(
      ["old 1", "old 2", "own"],
      [layer("x"), layer("y"), empty("z"), layer("COPY own")],
    );
    expect(rebaseImage(rewritten, { from, to }).config.history).toEqual([
      layer("ADD new"),
      empty("ENV A=2"),
      empty("z"),
      layer("COPY own"),
    ]);
  });

  it("keeps entries and layers together where the new base has no history", () => {
    const bare = base("bare", ["n1", "n2"], undefined);
    const { history = [] } = rebaseImage(image, { from, to: bare }).config;
    expect(history.filter((entry) => entry.empty_layer !== true)).toHaveLength(3);
    expect(history.at(-1)).toEqual(layer("COPY own"));
  });

  it("refuses a base that the image does not stand on, naming the layer", () => {
    const other = base("base:3", ["old 1", "different"], undefined);
    expect(() => rebaseImage(image, { from: other, to })).toThrow(
      expect.objectContaining({
        code: "BASE_IMAGE",
        message: 'Cannot rebase the image: it does not stand on "base:3"',
        hint: expect.stringContaining("Layer 2 of the base"),
      }),
    );
    const longer = base("base:4", ["old 1", "old 2", "own", "more"], undefined);
    expect(() => rebaseImage(image, { from: longer, to })).toThrow(
      expect.objectContaining({ hint: "The base has 4 layers, the image 3" }),
    );
  });
});
