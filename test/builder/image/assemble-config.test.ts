import { expect, test } from "vitest";
import type { PlannedImage } from "../../../src/builder/graph/plan.ts";
import { assembleConfig } from "../../../src/builder/image/assemble-config.ts";
import { imageState, stateAfter } from "../../../src/builder/solve/state.ts";
import { digestOf } from "../../../src/oci/index.ts";

const BASE = [digestOf("base 1"), digestOf("base 2")];
const CREATED = "2020-01-01T00:00:00Z";

/** History of an image that has one layer more than its base of two. */
function historyOf(planned: Partial<PlannedImage>) {
  const image: PlannedImage = {
    platform: { os: "linux", architecture: "amd64" },
    config: {},
    baseHistory: [],
    baseLayers: BASE.length,
    history: [
      { createdBy: "ENV A=1", emptyLayer: true },
      { createdBy: "COPY a /", emptyLayer: false },
    ],
    ...planned,
  };
  const layer = { diffId: digestOf("new"), createdAt: CREATED, identity: digestOf("state") };
  const config = assembleConfig(image, stateAfter(imageState(BASE), layer), { now: "2030-01-01T00:00:00Z" });
  return (config.history ?? []).map(({ created_by, empty_layer, comment }) => [
    created_by,
    empty_layer === true,
    comment,
  ]);
}

const OURS = [
  ["ENV A=1", true, "buildkit.dockerfile.v0"],
  ["COPY a /", false, "buildkit.dockerfile.v0"],
];

test("what the base has of history comes first", () => {
  const baseHistory = [{ created_by: "1" }, { created_by: "CMD", empty_layer: true }, { created_by: "2" }];
  expect(historyOf({ baseHistory })).toEqual([
    ["1", false, undefined],
    ["CMD", true, undefined],
    ["2", false, undefined],
    ...OURS,
  ]);
});

test("layers that the base's history does not account for have entries behind all others", () => {
  const missing = ["", "COPY a /"].map((text) => [text, false, "buildkit.exporter.image.v0"]);
  expect(historyOf({})).toEqual([...OURS, ...missing]);
  expect(historyOf({ baseHistory: [{ created_by: "1" }] })).toEqual([
    ["1", false, undefined],
    ...OURS,
    ...missing.slice(1),
  ]);
});

test("entries beyond the number of layers have none", () => {
  const baseHistory = ["1", "2", "3"].map((created_by) => ({ created_by }));
  expect(historyOf({ baseHistory }).map(([text, isEmpty]) => [text, isEmpty])).toEqual([
    ["1", false],
    ["2", false],
    ["3", false],
    ["ENV A=1", true],
    ["COPY a /", true],
  ]);
});

test("members of a config that are empty are left out, those of a health check too", () => {
  const image: PlannedImage = {
    platform: { os: "linux", architecture: "amd64" },
    config: { Cmd: [], WorkingDir: "", Healthcheck: { Test: [] }, Volumes: { "/v": {} } },
    baseHistory: [],
    baseLayers: 0,
    history: [],
  };
  const { config } = assembleConfig(image, imageState([]), { now: CREATED });
  expect(config).toEqual({ Volumes: { "/v": {} } });
});
