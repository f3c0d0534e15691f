import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Descriptor,
  digestOf,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  MEDIA_TYPES,
  parseReference,
} from "../../../src/oci/index.ts";
import { pushImage, RegistryClient } from "../../../src/registry/index.ts";
import { putAttestedIndex, putJson } from "../../support/attested-index.ts";
import { tarOf, tinyImage } from "../../support/image-archives.ts";
import { type MemoryRegistry, startMemoryRegistry } from "../../support/memory-registry.ts";
import { MemoryBlobs } from "../../support/registry-images.ts";
import { hasRegistry, hasSkopeo, startRegistry } from "../../support/registry-server.ts";
import { type CliRun, runCli } from "../run-cli.ts";

/** The same content in other bytes. */
const deflateLess = (content: Uint8Array): Uint8Array => gzipSync(content, { level: 0 });

/** An index of two platforms' images, with an attestation of the first as BuildKit adds it. */
function putIndex(
  blobs: MemoryBlobs,
  texts: readonly string[],
  annotations: Readonly<Record<string, string>> = {},
): Descriptor {
  const images = ["amd64", "arm64"].map((architecture) => {
    const { layers, config } = tinyImage(texts, architecture);
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: blobs.put(config, MEDIA_TYPES.ociConfig),
      layers: layers.map((layer) => blobs.put(gzipSync(layer), MEDIA_TYPES.ociLayerGzip)),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    };
    return { ...putJson(blobs, manifest, MEDIA_TYPES.ociManifest), platform: { os: "linux", architecture } };
  });
  return putAttestedIndex(blobs, images);
}

describe("edit", () => {
  let registry: MemoryRegistry;
  let folder = "";
  let app: Descriptor;
  let base: { readonly old: Descriptor; readonly new: Descriptor };
  const blobs = new MemoryBlobs();

  const push = async (host: string, name: string, root: Descriptor): Promise<void> => {
    await using client = new RegistryClient();
    await pushImage(client, { source: blobs, root, reference: parseReference(`${host}/${name}`) });
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "strake-edit-"));
    writeFileSync(join(folder, "policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
    registry = await startMemoryRegistry();
    app = putIndex(blobs, ["base", "own"]);
    base = { old: putIndex(blobs, ["base"]), new: putIndex(blobs, ["newer", "base 2"]) };
    await push(registry.host, "app:1", app);
    await push(registry.host, "base:1", base.old);
    await push(registry.host, "base:2", base.new);
  });
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const strake = (...argv: readonly string[]): Promise<CliRun> =>
    runCli(argv, {
      cwd: folder,
      env: { STRAKE_ROOT: join(folder, "store"), DOCKER_CONFIG: folder, FROM_HERE: "here" },
    });
  async function edited(...argv: readonly string[]): Promise<{
    readonly digest: string;
    readonly changed: boolean;
    readonly destination: string;
    readonly droppedAttestations: number;
    readonly images: readonly {
      readonly platform: string;
      readonly before: string;
      readonly after: string;
    }[];
  }> {
    const run = await strake("edit", "-q", "--json", ...argv);
    expect(run.code, run.stderr).toBe(0);
    return JSON.parse(run.stdout);
  }
  async function failing(...argv: readonly string[]): Promise<string> {
    const run = await strake("edit", "-q", ...argv);
    expect(run.code).not.toBe(0);
    expect(run.stdout).toBe("");
    return run.stderr;
  }
  const json = async <T>(...argv: readonly string[]): Promise<T> => {
    const run = await strake(...argv);
    expect(run.code, run.stderr).toBe(0);
    return JSON.parse(run.stdout) as T;
  };
  const indexOf = (name: string): Promise<ImageIndex> => json("registry", "manifest", "--raw", name);
  const manifestOf = (name: string, platform = "linux/amd64"): Promise<ImageManifest> =>
    json("inspect", "--manifest", "--platform", platform, `docker://${name}`);
  const configOf = (name: string, platform = "linux/amd64"): Promise<ImageConfig> =>
    json("inspect", "--config", "--platform", platform, `docker://${name}`);

  it("edits every platform, moves no layer, and drops what spoke of the images before", async () => {
    const from = registry.seen.length;
    const result = await edited(
      "--label",
      "team=web",
      "--env",
      "FROM_HERE",
      `${registry.host}/app:1`,
      `${registry.host}/app:2`,
    );
    const requests = registry.seen.slice(from);
    for (const layer of (await manifestOf(`${registry.host}/app:1`)).layers) {
      expect(requests).not.toContain(`GET /v2/app/blobs/${layer.digest}`);
    }
    // Two new configs, and nothing else.
    expect(requests.filter((request) => request.startsWith("POST"))).toHaveLength(2);
    expect(result).toMatchObject({ changed: true, droppedAttestations: 1 });
    expect(result.images.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
    const index = await indexOf(`${registry.host}/app:2`);
    expect(index.manifests.map(({ digest }) => digest)).toEqual(result.images.map(({ after }) => after));
    for (const platform of ["linux/amd64", "linux/arm64"]) {
      const config = await configOf(`${registry.host}/app:2`, platform);
      expect(config.config).toEqual({ Cmd: ["/x"], Env: ["FROM_HERE=here"], Labels: { team: "web" } });
      expect(config.history?.slice(2).map(({ created_by }) => created_by)).toEqual([
        "ENV FROM_HERE=here",
        "LABEL team=web",
      ]);
    }
    // The image before is untouched.
    expect((await indexOf(`${registry.host}/app:1`)).manifests).toHaveLength(3);
  });

  it("gives the same digest for the same edit", async () => {
    const argv = ["--user", "app", "--annotation", "a=b", "-c", "EXPOSE 80"];
    const first = await edited(...argv, `${registry.host}/app:1`, `${registry.host}/same:1`);
    const second = await edited(...argv, `${registry.host}/app:1`, "oci:same:1");
    expect(second.digest).toBe(first.digest);
    const layout = JSON.parse(readFileSync(join(folder, "same/index.json"), "utf8")) as ImageIndex;
    expect(layout.manifests[0]?.digest).toBe(first.digest);
  });

  it("keeps the digest and says so when there is nothing to change", async () => {
    const run = await strake("edit", "--cmd", '["/x"]', "--label-rm", "none", `${registry.host}/app:1`);
    // ArgsEscaped comes with every CMD of a build, and is not there in this image.
    expect(run.code).toBe(0);
    const again = await strake("edit", "--cmd", '["/x"]', `${registry.host}/app:1`);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain("Nothing to change");
    expect(again.stdout).toBe(run.stdout);
    await push(registry.host, "app:1", app);
    const copy = await edited("--label-rm", "none", `${registry.host}/app:1`, `${registry.host}/app:copy`);
    expect(copy).toMatchObject({ changed: false, digest: app.digest });
    expect((await indexOf(`${registry.host}/app:copy`)).manifests).toHaveLength(3);
  });

  it("edits one platform and leaves the others with their attestations", async () => {
    const result = await edited(
      "--platform",
      "linux/arm64",
      "--workdir",
      "/srv",
      `${registry.host}/app:1`,
      `${registry.host}/app:arm`,
    );
    expect(result).toMatchObject({ droppedAttestations: 0 });
    const [before, after] = [
      await indexOf(`${registry.host}/app:1`),
      await indexOf(`${registry.host}/app:arm`),
    ];
    expect(after.manifests.map(({ digest }, i) => digest === before.manifests[i]?.digest)).toEqual([
      true,
      false,
      true,
    ]);
    expect((await configOf(`${registry.host}/app:arm`, "linux/arm64")).config?.WorkingDir).toBe("/srv");
    expect(await failing("--platform", "linux/s390x", "--user", "x", `${registry.host}/app:1`)).toContain(
      "The image is there for linux/amd64, linux/arm64",
    );
  });

  it("changes a tag in place, and what has only a digest into another digest", async () => {
    await push(registry.host, "place:1", app);
    const result = await edited("--label", "x=y", `${registry.host}/place:1`);
    expect(
      (await json<ImageIndex>("registry", "manifest", "--raw", `${registry.host}/place:1`)).manifests,
    ).toHaveLength(2);
    const byDigest = await edited("--label", "z=1", `${registry.host}/place@${result.digest}`);
    expect(byDigest.destination).toBe(`${registry.host}/place@${byDigest.digest}`);
    expect((await strake("registry", "digest", `${registry.host}/place:1`)).stdout.trim()).toBe(
      result.digest,
    );
  });

  it("annotates manifests, indexes and what an index says of a manifest", async () => {
    const annotations = [
      "a=all",
      "manifest[linux/arm64]:b=arm",
      "index:c=index",
      "manifest-descriptor:d=entry",
    ];
    await edited(
      ...annotations.flatMap((annotation) => ["--annotation", annotation]),
      `${registry.host}/app:1`,
      `${registry.host}/noted:1`,
    );
    const index = await indexOf(`${registry.host}/noted:1`);
    expect(index.annotations).toEqual({ c: "index" });
    expect(index.manifests.map((entry) => entry.annotations)).toEqual([{ d: "entry" }, { d: "entry" }]);
    expect((await manifestOf(`${registry.host}/noted:1`)).annotations).toEqual({ a: "all" });
    expect((await manifestOf(`${registry.host}/noted:1`, "linux/arm64")).annotations).toEqual({
      a: "all",
      b: "arm",
    });
    // A config that nothing changed keeps its digest, and so the image its ID.
    expect((await manifestOf(`${registry.host}/noted:1`)).config).toEqual(
      (await manifestOf(`${registry.host}/app:1`)).config,
    );
    const back = await edited(
      "--annotation-rm",
      "a",
      "--annotation-rm",
      "index:c",
      `${registry.host}/noted:1`,
    );
    expect(back.changed).toBe(true);
    expect(await indexOf(`${registry.host}/noted:1`)).not.toHaveProperty("annotations");
    expect(await manifestOf(`${registry.host}/noted:1`)).not.toHaveProperty("annotations");
    expect(await failing("--annotation", "manifest[linux/s390x]:a=b", `${registry.host}/app:1`)).toContain(
      "linux/s390x is not",
    );
  });

  it("does not annotate Docker's format, but converts when asked", async () => {
    expect(
      (
        await strake(
          "copy",
          "-q",
          "--format",
          "docker",
          `${registry.host}/app:1`,
          `${registry.host}/docker:1`,
        )
      ).code,
    ).toBe(0);
    expect(await failing("--annotation", "a=b", `${registry.host}/docker:1`)).toContain(
      "hint: Give the image those of OCI: --format oci",
    );
    await edited(
      "--format",
      "oci",
      "--annotation",
      "a=b",
      `${registry.host}/docker:1`,
      `${registry.host}/docker:2`,
    );
    expect((await manifestOf(`${registry.host}/docker:2`)).annotations).toEqual({ a: "b" });
    // Labels are of the config, and the format stays.
    await edited("--label", "a=b", `${registry.host}/docker:1`);
    const manifest = await manifestOf(`${registry.host}/docker:1`);
    expect(manifest.mediaType).toBe(MEDIA_TYPES.dockerManifest);
    expect(manifest.config.mediaType).toBe(MEDIA_TYPES.dockerConfig);
  });

  it("puts layers on top, with the types of the image's format", async () => {
    const tar = tarOf([{ name: "added", content: "added" }]);
    writeFileSync(join(folder, "added.tar"), tar);
    writeFileSync(join(folder, "added.tgz"), gzipSync(tar));
    await edited(
      "--append",
      "added.tar",
      "--append",
      "added.tgz",
      `${registry.host}/app:1`,
      `${registry.host}/app:added`,
    );
    const config = await configOf(`${registry.host}/app:added`);
    expect(config.rootfs.diff_ids.slice(2)).toEqual([digestOf(tar), digestOf(tar)]);
    expect(config.history?.slice(2)).toEqual([
      { created_by: "strake edit --append added.tar", comment: "strake edit" },
      { created_by: "strake edit --append added.tgz", comment: "strake edit" },
    ]);
    const manifest = await manifestOf(`${registry.host}/app:added`);
    expect(manifest.layers[3]?.digest).toBe(digestOf(gzipSync(tar)));
    await strake("copy", "-q", "--format", "docker", `${registry.host}/app:1`, `${registry.host}/app:dock`);
    await edited("--append", "added.tar", `${registry.host}/app:dock`);
    expect((await manifestOf(`${registry.host}/app:dock`)).layers.map(({ mediaType }) => mediaType)).toEqual([
      MEDIA_TYPES.dockerLayerGzip,
      MEDIA_TYPES.dockerLayerGzip,
      MEDIA_TYPES.dockerLayerGzip,
    ]);
    writeFileSync(join(folder, "text"), "no tar ".repeat(200));
    expect(await failing("--append", "text", `${registry.host}/app:1`)).toContain(
      'Cannot use "text" as a layer',
    );
  });

  it("puts an image onto another base, of which the layers are mounted", async () => {
    const from = registry.seen.length;
    await edited(
      "--old-base",
      `${registry.host}/base:1`,
      "--new-base",
      `${registry.host}/base:2`,
      `${registry.host}/app:1`,
      `${registry.host}/app:rebased`,
    );
    const requests = registry.seen.slice(from);
    const [manifest, own, newBase] = await Promise.all(
      ["app:rebased", "app:1", "base:2"].map((name) => manifestOf(`${registry.host}/${name}`)),
    );
    expect(manifest?.layers).toEqual([...(newBase?.layers ?? []), own?.layers[1]]);
    for (const { digest } of manifest?.layers ?? []) {
      expect(requests.filter((request) => request.startsWith("GET") && request.includes(digest))).toEqual([]);
    }
    const config = await configOf(`${registry.host}/app:rebased`, "linux/arm64");
    expect(config.history?.map(({ created_by }) => created_by)).toEqual([
      "COPY newer",
      "COPY base 2",
      "COPY own",
    ]);
    expect(
      await failing(
        "--old-base",
        `${registry.host}/base:2`,
        "--new-base",
        `${registry.host}/base:1`,
        `${registry.host}/app:1`,
      ),
    ).toContain("it does not stand on");
    expect(await failing("--rebase", `${registry.host}/app:1`)).toContain(
      "hint: Name the base with --old-base",
    );
  });

  it("knows the bases from the image's annotations, and keeps these true", async () => {
    const noted = putIndex(blobs, ["base", "own"], {
      "org.opencontainers.image.base.name": `${registry.host}/moving:1`,
      "org.opencontainers.image.base.digest": base.old.digest,
    });
    await push(registry.host, "moving:1", base.old);
    await push(registry.host, "told:1", noted);
    expect(await edited("--rebase", `${registry.host}/told:1`)).toMatchObject({ changed: false });
    await push(registry.host, "moving:1", base.new);
    expect(await edited("--rebase", `${registry.host}/told:1`)).toMatchObject({ changed: true });
    const manifest = await manifestOf(`${registry.host}/told:1`);
    expect(manifest.layers).toHaveLength(3);
    expect(manifest.annotations).toEqual({
      "org.opencontainers.image.base.name": `${registry.host}/moving:1`,
      "org.opencontainers.image.base.digest": base.new.digest,
    });
  });

  it("sets time and platform of one image, also in the index", async () => {
    const argv = ["--platform", "linux/arm64", "--set-platform", "linux/arm/v7", "--created", "86400"];
    await edited(...argv, `${registry.host}/app:1`, `${registry.host}/app:v7`);
    expect((await indexOf(`${registry.host}/app:v7`)).manifests[1]?.platform).toEqual({
      os: "linux",
      architecture: "arm",
      variant: "v7",
    });
    expect(await configOf(`${registry.host}/app:v7`, "linux/arm/v7")).toMatchObject({
      architecture: "arm",
      variant: "v7",
      created: "1970-01-02T00:00:00Z",
    });
    expect(await failing("--set-platform", "linux/386", `${registry.host}/app:1`)).toContain(
      "hint: Choose one of them with --platform",
    );
  });

  it("shows what would change, and changes nothing", async () => {
    const from = registry.seen.length;
    const run = await strake(
      "edit",
      "-q",
      "--dry-run",
      "--platform",
      "linux/amd64",
      "--label",
      "a=\u001b[31m",
      "--cmd",
      "[]",
      `${registry.host}/app:1`,
    );
    expect(run.code).toBe(0);
    expect(run.stdout.split("\n").slice(0, 4)).toEqual([
      "linux/amd64",
      '  - config.Cmd[0] "/x"',
      '  + config.Labels.a "\\u001b[31m"',
      "  + config.ArgsEscaped true",
    ]);
    expect(registry.seen.slice(from).filter((request) => !/^(?:GET|HEAD) /.test(request))).toEqual([]);
  });

  it("shows what --format changes, too", async () => {
    const run = await strake(
      "edit",
      "-q",
      "--dry-run",
      "--format",
      "docker",
      "--platform",
      "linux/amd64",
      "--user",
      "x",
      `${registry.host}/app:1`,
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
        config: blobs.put(config, MEDIA_TYPES.ociConfig),
        layers: layers.map((layer) => blobs.put(compress(layer), MEDIA_TYPES.ociLayerGzip)),
      };
      const platform = { os: "linux", architecture: "amd64" };
      return { ...putJson(blobs, manifest, MEDIA_TYPES.ociManifest), platform };
    });
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: images };
    await push(registry.host, "twins:1", putJson(blobs, index, MEDIA_TYPES.ociIndex));
    for (const format of ["oci", "docker"]) {
      const run = await strake(
        "edit",
        "-q",
        "--dry-run",
        "--json",
        "--user",
        "x",
        "--format",
        format,
        `${registry.host}/twins:1`,
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

  it("works on the store, on layouts and into archives", async () => {
    const store = join(folder, "store");
    expect((await strake("copy", "-q", `${registry.host}/app:1`, "store:local:1")).code).toBe(0);
    await edited("--label", "a=b", "store:local:1");
    const [shown] = await json<readonly { readonly Config: { readonly Labels: unknown } }[]>(
      "inspect",
      "local:1",
    );
    expect(shown?.Config.Labels).toEqual({ a: "b" });
    await edited("--label", "c=d", "store:local:1", "oci:work:1");
    const inPlace = await edited("--label-rm", "c", "oci:work:1");
    const layout = JSON.parse(readFileSync(join(folder, "work/index.json"), "utf8")) as ImageIndex;
    expect(layout.manifests.map(({ digest }) => digest)).toEqual([inPlace.digest]);
    await edited(
      "--label",
      "e=f",
      "--platform",
      "linux/arm64",
      "oci:work:1",
      "docker-archive:one.tar:local:2",
    );
    const loaded = await strake("load", "-q", "-i", "one.tar");
    expect(loaded.stdout).toContain("local:2");
    const again = await edited("--user", "1", "docker-archive:one.tar", "oci-archive:two.tar:x");
    expect(again.images.map(({ platform }) => platform)).toEqual(["linux/arm64"]);
    for (const [place, reason] of [
      ["docker-archive:one.tar", "an archive is not changed"],
      ["oci:work", "it has no tag"],
      [`store:${app.digest}`, "an ID is not a name"],
    ] as const) {
      expect(await failing("--user", "1", place)).toContain(reason);
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
    expect(await failing(...argv, `${registry.host}/app:1`)).toContain(reason);
  });

  it("names the nearest tag", async () => {
    expect(await failing("--user", "x", `${registry.host}/base:3`)).toContain("hint: Did you mean");
  });

  it.skipIf(!hasRegistry || !hasSkopeo)(
    `is read by skopeo from a real registry${hasRegistry && hasSkopeo ? "" : " (skipped: docker-registry or skopeo is not installed)"}`,
    async () => {
      await using real = await startRegistry();
      await push(real.host, "app:1", app);
      await push(real.host, "base:1", base.old);
      await push(real.host, "base:2", base.new);
      writeFileSync(join(folder, "real.tar"), tarOf([{ name: "real", content: "real" }]));
      await edited(
        ...["--old-base", `${real.host}/base:1`, "--new-base", `${real.host}/base:2`],
        ...["--append", "real.tar", "--label", "a=b"],
        `${real.host}/app:1`,
        `${real.host}/moved/app:2`,
      );
      const source = `docker://${real.host}/moved/app:2`;
      const skopeo = (command: string, ...argv: readonly string[]): string =>
        execFileSync(
          "skopeo",
          [
            "--policy",
            join(folder, "policy.json"),
            "--override-os=linux",
            "--override-arch=arm64",
            command,
            ...argv,
          ],
          { encoding: "utf8" },
        );
      const inspected = JSON.parse(skopeo("inspect", "--tls-verify=false", source));
      expect(inspected).toMatchObject({ Labels: { a: "b" }, Architecture: "arm64" });
      expect(inspected.Layers).toHaveLength(4);
      // It compares the layers with the config's diffIDs when it unpacks them for this form.
      skopeo("copy", "--src-tls-verify=false", source, `docker-archive:${join(folder, "skopeo.tar")}:app:2`);
    },
  );
});
