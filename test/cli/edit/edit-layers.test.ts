import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf, MEDIA_TYPES } from "../../../src/oci/index.ts";
import { tarOf } from "../../support/image-archives.ts";
import { hasRegistry, hasSkopeo, startRegistry } from "../../support/registry-server.ts";
import { EditBench, putIndex } from "./support.ts";

describe("edit", () => {
  let bench: EditBench;

  beforeAll(async () => {
    bench = await EditBench.start();
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());

  it("puts layers on top, with the types of the image's format", async () => {
    const tar = tarOf([{ name: "added", content: "added" }]);
    writeFileSync(join(bench.folder, "added.tar"), tar);
    writeFileSync(join(bench.folder, "added.tgz"), gzipSync(tar));
    await bench.edited(
      "--append",
      "added.tar",
      "--append",
      "added.tgz",
      `${bench.host}/app:1`,
      `${bench.host}/app:added`,
    );
    const config = await bench.configOf(`${bench.host}/app:added`);
    expect(config.rootfs.diff_ids.slice(2)).toEqual([digestOf(tar), digestOf(tar)]);
    expect(config.history?.slice(2)).toEqual([
      { created_by: "strake edit --append added.tar", comment: "strake edit" },
      { created_by: "strake edit --append added.tgz", comment: "strake edit" },
    ]);
    const manifest = await bench.manifestOf(`${bench.host}/app:added`);
    expect(manifest.layers[3]?.digest).toBe(digestOf(gzipSync(tar)));
    await bench.strake("copy", "-q", "--format", "docker", `${bench.host}/app:1`, `${bench.host}/app:dock`);
    await bench.edited("--append", "added.tar", `${bench.host}/app:dock`);
    expect(
      (await bench.manifestOf(`${bench.host}/app:dock`)).layers.map(({ mediaType }) => mediaType),
    ).toEqual([MEDIA_TYPES.dockerLayerGzip, MEDIA_TYPES.dockerLayerGzip, MEDIA_TYPES.dockerLayerGzip]);
    writeFileSync(join(bench.folder, "text"), "no tar ".repeat(200));
    expect(await bench.failing("--append", "text", `${bench.host}/app:1`)).toContain(
      'Cannot use "text" as a layer',
    );
  });

  it("puts an image onto another base, of which the layers are mounted", async () => {
    const from = bench.seen.length;
    await bench.edited(
      "--old-base",
      `${bench.host}/base:1`,
      "--new-base",
      `${bench.host}/base:2`,
      `${bench.host}/app:1`,
      `${bench.host}/app:rebased`,
    );
    const requests = bench.seen.slice(from);
    const [manifest, own, newBase] = await Promise.all(
      ["app:rebased", "app:1", "base:2"].map((name) => bench.manifestOf(`${bench.host}/${name}`)),
    );
    expect(manifest?.layers).toEqual([...(newBase?.layers ?? []), own?.layers[1]]);
    for (const { digest } of manifest?.layers ?? []) {
      expect(requests.filter((request) => request.startsWith("GET") && request.includes(digest))).toEqual([]);
    }
    const config = await bench.configOf(`${bench.host}/app:rebased`, "linux/arm64");
    expect(config.history?.map(({ created_by }) => created_by)).toEqual([
      "COPY newer",
      "COPY base 2",
      "COPY own",
    ]);
    expect(
      await bench.failing(
        "--old-base",
        `${bench.host}/base:2`,
        "--new-base",
        `${bench.host}/base:1`,
        `${bench.host}/app:1`,
      ),
    ).toContain("it does not stand on");
    expect(await bench.failing("--rebase", `${bench.host}/app:1`)).toContain(
      "hint: Name the base with --old-base",
    );
  });

  it("knows the bases from the image's annotations, and keeps these true", async () => {
    const noted = putIndex(bench.blobs, ["base", "own"], {
      "org.opencontainers.image.base.name": `${bench.host}/moving:1`,
      "org.opencontainers.image.base.digest": bench.base.old.digest,
    });
    await bench.push(`${bench.host}/moving:1`, bench.base.old);
    await bench.push(`${bench.host}/told:1`, noted);
    expect(await bench.edited("--rebase", `${bench.host}/told:1`)).toMatchObject({ changed: false });
    await bench.push(`${bench.host}/moving:1`, bench.base.new);
    expect(await bench.edited("--rebase", `${bench.host}/told:1`)).toMatchObject({ changed: true });
    const manifest = await bench.manifestOf(`${bench.host}/told:1`);
    expect(manifest.layers).toHaveLength(3);
    expect(manifest.annotations).toEqual({
      "org.opencontainers.image.base.name": `${bench.host}/moving:1`,
      "org.opencontainers.image.base.digest": bench.base.new.digest,
    });
  });

  it.skipIf(!hasRegistry || !hasSkopeo)(
    `is read by skopeo from a real registry${hasRegistry && hasSkopeo ? "" : " (skipped: docker-registry or skopeo is not installed)"}`,
    async () => {
      await using real = await startRegistry();
      await bench.push(`${real.host}/app:1`, bench.app);
      await bench.push(`${real.host}/base:1`, bench.base.old);
      await bench.push(`${real.host}/base:2`, bench.base.new);
      writeFileSync(join(bench.folder, "real.tar"), tarOf([{ name: "real", content: "real" }]));
      await bench.edited(
        ...["--old-base", `${real.host}/base:1`, "--new-base", `${real.host}/base:2`],
        ...["--append", "real.tar", "--label", "a=b"],
        `${real.host}/app:1`,
        `${real.host}/moved/app:2`,
      );
      const source = `docker://${real.host}/moved/app:2`;
      const policy = join(bench.folder, "policy.json");
      writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
      const skopeo = (command: string, ...argv: readonly string[]): string =>
        execFileSync(
          "skopeo",
          ["--policy", policy, "--override-os=linux", "--override-arch=arm64", command, ...argv],
          { encoding: "utf8" },
        );
      const inspected = JSON.parse(skopeo("inspect", "--tls-verify=false", source));
      expect(inspected).toMatchObject({ Labels: { a: "b" }, Architecture: "arm64" });
      expect(inspected.Layers).toHaveLength(4);
      // It compares the layers with the config's diffIDs when it unpacks them for this form.
      skopeo(
        "copy",
        "--src-tls-verify=false",
        source,
        `docker-archive:${join(bench.folder, "skopeo.tar")}:app:2`,
      );
    },
  );
});
