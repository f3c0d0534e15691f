import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MEDIA_TYPES } from "../../../src/oci/index.ts";
import { EditBench } from "./support.ts";

describe("edit", () => {
  let bench: EditBench;

  beforeAll(async () => {
    bench = await EditBench.start();
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());

  it("annotates manifests, indexes and what an index says of a manifest", async () => {
    const annotations = [
      "a=all",
      "manifest[linux/arm64]:b=arm",
      "index:c=index",
      "manifest-descriptor:d=entry",
    ];
    await bench.edited(
      ...annotations.flatMap((annotation) => ["--annotation", annotation]),
      `${bench.host}/app:1`,
      `${bench.host}/noted:1`,
    );
    const index = await bench.indexOf(`${bench.host}/noted:1`);
    expect(index.annotations).toEqual({ c: "index" });
    expect(index.manifests.map((entry) => entry.annotations)).toEqual([{ d: "entry" }, { d: "entry" }]);
    expect((await bench.manifestOf(`${bench.host}/noted:1`)).annotations).toEqual({ a: "all" });
    expect((await bench.manifestOf(`${bench.host}/noted:1`, "linux/arm64")).annotations).toEqual({
      a: "all",
      b: "arm",
    });
    // A config that nothing changed keeps its digest, and so the image its ID.
    expect((await bench.manifestOf(`${bench.host}/noted:1`)).config).toEqual(
      (await bench.manifestOf(`${bench.host}/app:1`)).config,
    );
    const back = await bench.edited(
      "--annotation-rm",
      "a",
      "--annotation-rm",
      "index:c",
      `${bench.host}/noted:1`,
    );
    expect(back.changed).toBe(true);
    expect(await bench.indexOf(`${bench.host}/noted:1`)).not.toHaveProperty("annotations");
    expect(await bench.manifestOf(`${bench.host}/noted:1`)).not.toHaveProperty("annotations");
    expect(await bench.failing("--annotation", "manifest[linux/s390x]:a=b", `${bench.host}/app:1`)).toContain(
      "linux/s390x is not",
    );
  });

  it("does not annotate Docker's format, but converts when asked", async () => {
    expect(
      (
        await bench.strake(
          "copy",
          "-q",
          "--format",
          "docker",
          `${bench.host}/app:1`,
          `${bench.host}/docker:1`,
        )
      ).code,
    ).toBe(0);
    expect(await bench.failing("--annotation", "a=b", `${bench.host}/docker:1`)).toContain(
      "hint: Give the image those of OCI: --format oci",
    );
    await bench.edited(
      "--format",
      "oci",
      "--annotation",
      "a=b",
      `${bench.host}/docker:1`,
      `${bench.host}/docker:2`,
    );
    expect((await bench.manifestOf(`${bench.host}/docker:2`)).annotations).toEqual({ a: "b" });
    // Labels are of the config, and the format stays.
    await bench.edited("--label", "a=b", `${bench.host}/docker:1`);
    const manifest = await bench.manifestOf(`${bench.host}/docker:1`);
    expect(manifest.mediaType).toBe(MEDIA_TYPES.dockerManifest);
    expect(manifest.config.mediaType).toBe(MEDIA_TYPES.dockerConfig);
  });
});
