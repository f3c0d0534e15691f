import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ImageIndex } from "../../../src/oci/index.ts";
import { EditBench } from "./support.ts";

describe("edit", () => {
  let bench: EditBench;

  beforeAll(async () => {
    bench = await EditBench.start();
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());

  it("edits every platform, moves no layer, and drops what spoke of the images before", async () => {
    const from = bench.seen.length;
    const result = await bench.edited(
      "--label",
      "team=web",
      "--env",
      "FROM_HERE",
      `${bench.host}/app:1`,
      `${bench.host}/app:2`,
    );
    const requests = bench.seen.slice(from);
    for (const layer of (await bench.manifestOf(`${bench.host}/app:1`)).layers) {
      expect(requests).not.toContain(`GET /v2/app/blobs/${layer.digest}`);
    }
    // Two new configs, and nothing else.
    expect(requests.filter((request) => request.startsWith("POST"))).toHaveLength(2);
    expect(result).toMatchObject({ changed: true, droppedAttestations: 1 });
    expect(result.images.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
    const index = await bench.indexOf(`${bench.host}/app:2`);
    expect(index.manifests.map(({ digest }) => digest)).toEqual(result.images.map(({ after }) => after));
    for (const platform of ["linux/amd64", "linux/arm64"]) {
      const config = await bench.configOf(`${bench.host}/app:2`, platform);
      expect(config.config).toEqual({ Cmd: ["/x"], Env: ["FROM_HERE=here"], Labels: { team: "web" } });
      expect(config.history?.slice(2).map(({ created_by }) => created_by)).toEqual([
        "ENV FROM_HERE=here",
        "LABEL team=web",
      ]);
    }
    // The image before is untouched.
    expect((await bench.indexOf(`${bench.host}/app:1`)).manifests).toHaveLength(3);
  });

  it("gives the same digest for the same edit", async () => {
    const argv = ["--user", "app", "--annotation", "a=b", "-c", "EXPOSE 80"];
    const first = await bench.edited(...argv, `${bench.host}/app:1`, `${bench.host}/same:1`);
    const second = await bench.edited(...argv, `${bench.host}/app:1`, "oci:same:1");
    expect(second.digest).toBe(first.digest);
    const layout = JSON.parse(readFileSync(join(bench.folder, "same/index.json"), "utf8")) as ImageIndex;
    expect(layout.manifests[0]?.digest).toBe(first.digest);
  });

  it("keeps the digest and says so when there is nothing to change", async () => {
    const run = await bench.strake("edit", "--cmd", '["/x"]', "--label-rm", "none", `${bench.host}/app:1`);
    // ArgsEscaped comes with every CMD of a build, and is not there in this image.
    expect(run.code).toBe(0);
    const again = await bench.strake("edit", "--cmd", '["/x"]', `${bench.host}/app:1`);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain("Nothing to change");
    expect(again.stdout).toBe(run.stdout);
    await bench.push(`${bench.host}/app:1`, bench.app);
    const copy = await bench.edited("--label-rm", "none", `${bench.host}/app:1`, `${bench.host}/app:copy`);
    expect(copy).toMatchObject({ changed: false, digest: bench.app.digest });
    expect((await bench.indexOf(`${bench.host}/app:copy`)).manifests).toHaveLength(3);
  });

  it("edits one platform and leaves the others with their attestations", async () => {
    const result = await bench.edited(
      "--platform",
      "linux/arm64",
      "--workdir",
      "/srv",
      `${bench.host}/app:1`,
      `${bench.host}/app:arm`,
    );
    expect(result).toMatchObject({ droppedAttestations: 0 });
    const [before, after] = [
      await bench.indexOf(`${bench.host}/app:1`),
      await bench.indexOf(`${bench.host}/app:arm`),
    ];
    expect(after.manifests.map(({ digest }, i) => digest === before.manifests[i]?.digest)).toEqual([
      true,
      false,
      true,
    ]);
    expect((await bench.configOf(`${bench.host}/app:arm`, "linux/arm64")).config?.WorkingDir).toBe("/srv");
    expect(await bench.failing("--platform", "linux/s390x", "--user", "x", `${bench.host}/app:1`)).toContain(
      "The image is there for linux/amd64, linux/arm64",
    );
  });

  it("changes a tag in place, and what has only a digest into another digest", async () => {
    await bench.push(`${bench.host}/place:1`, bench.app);
    const result = await bench.edited("--label", "x=y", `${bench.host}/place:1`);
    expect((await bench.indexOf(`${bench.host}/place:1`)).manifests).toHaveLength(2);
    const byDigest = await bench.edited("--label", "z=1", `${bench.host}/place@${result.digest}`);
    expect(byDigest.destination).toBe(`${bench.host}/place@${byDigest.digest}`);
    expect((await bench.strake("registry", "digest", `${bench.host}/place:1`)).stdout.trim()).toBe(
      result.digest,
    );
  });

  it("sets time and platform of one image, also in the index", async () => {
    const argv = ["--platform", "linux/arm64", "--set-platform", "linux/arm/v7", "--created", "86400"];
    await bench.edited(...argv, `${bench.host}/app:1`, `${bench.host}/app:v7`);
    expect((await bench.indexOf(`${bench.host}/app:v7`)).manifests[1]?.platform).toEqual({
      os: "linux",
      architecture: "arm",
      variant: "v7",
    });
    expect(await bench.configOf(`${bench.host}/app:v7`, "linux/arm/v7")).toMatchObject({
      architecture: "arm",
      variant: "v7",
      created: "1970-01-02T00:00:00Z",
    });
    expect(await bench.failing("--set-platform", "linux/386", `${bench.host}/app:1`)).toContain(
      "hint: Choose one of them with --platform",
    );
  });

  it("works on the store, on layouts and into archives", async () => {
    const store = join(bench.folder, "store");
    expect((await bench.strake("copy", "-q", `${bench.host}/app:1`, "store:local:1")).code).toBe(0);
    await bench.edited("--label", "a=b", "store:local:1");
    const [shown] = await bench.json<readonly { readonly Config: { readonly Labels: unknown } }[]>(
      "inspect",
      "local:1",
    );
    expect(shown?.Config.Labels).toEqual({ a: "b" });
    await bench.edited("--label", "c=d", "store:local:1", "oci:work:1");
    const inPlace = await bench.edited("--label-rm", "c", "oci:work:1");
    const layout = JSON.parse(readFileSync(join(bench.folder, "work/index.json"), "utf8")) as ImageIndex;
    expect(layout.manifests.map(({ digest }) => digest)).toEqual([inPlace.digest]);
    await bench.edited(
      "--label",
      "e=f",
      "--platform",
      "linux/arm64",
      "oci:work:1",
      "docker-archive:one.tar:local:2",
    );
    const loaded = await bench.strake("load", "-q", "-i", "one.tar");
    expect(loaded.stdout).toContain("local:2");
    const again = await bench.edited("--user", "1", "docker-archive:one.tar", "oci-archive:two.tar:x");
    expect(again.images.map(({ platform }) => platform)).toEqual(["linux/arm64"]);
    for (const [place, reason] of [
      ["docker-archive:one.tar", "an archive is not changed"],
      ["oci:work", "it has no tag"],
      [`store:${bench.app.digest}`, "an ID is not a name"],
    ] as const) {
      expect(await bench.failing("--user", "1", place)).toContain(reason);
    }
    expect(readFileSync(join(store, "oci-layout"), "utf8")).toContain("imageLayoutVersion");
  });

  it.each([
    [[], "There is nothing to edit"],
    [["--change", "RUN true"], "RUN takes a build"],
    [["--cmd", "a\nUSER root"], "it is no single line"],
    [["--created", "yesterday"], 'Cannot read --created "yesterday" as a time'],
    [["--env", "NOT_HERE"], "there is no such variable here"],
    [["--label", "=x"], "it has no key"],
    [["--volume", ""], "can not be an empty string"],
    [["--stop-signal", "SIGNOTHING"], "invalid signal"],
    [["--expose", "99999"], "invalid containerPort"],
    [["--annotation", "index-descriptor:a=b"], "only a build writes there"],
    [["--annotation-rm", "a=b"], "it has a value"],
    [["--format", "zip"], "there is no such format"],
  ])("refuses %j", async (argv, reason) => {
    expect(await bench.failing(...argv, `${bench.host}/app:1`)).toContain(reason);
  });

  it("names the nearest tag", async () => {
    expect(await bench.failing("--user", "x", `${bench.host}/base:3`)).toContain("hint: Did you mean");
  });
});
