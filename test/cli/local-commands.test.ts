import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BuildCache } from "../../src/cache/index.ts";
import { type Digest, digestOf, MEDIA_TYPES } from "../../src/oci/index.ts";
import { Store } from "../../src/store/index.ts";
import { runCli } from "./run-cli.ts";

const CREATED = "2023-11-14T20:13:20Z";
const NOW = Date.parse(CREATED) + 2 * 3600_000;

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "strake-cli-store-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const strake = (...argv: string[]) => runCli(argv, { env: { STRAKE_ROOT: root }, now: NOW });

/** An image of one layer of 1536 bytes; its ID differs by `text`. */
async function putImage(reference: string | undefined, text = "x"): Promise<Digest> {
  await using store = await Store.open(root);
  await using tar = await store.layers.prepareTar();
  await tar.write(Buffer.alloc(1536, text));
  const { diffId } = await tar.commit();
  const config = Buffer.from(
    JSON.stringify({
      created: CREATED,
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["sh"], Labels: { text } },
      rootfs: { type: "layers", diff_ids: [diffId] },
      history: [
        { created: CREATED, created_by: `COPY a-file-with-a-name-that-is-rather-long-${text} / # buildkit` },
        { created: CREATED, created_by: 'CMD ["sh"]', empty_layer: true, comment: "buildkit.dockerfile.v0" },
      ],
    }),
  );
  const { digest } = await store.blobs.putBytes(config, MEDIA_TYPES.ociConfig);
  const layer = { mediaType: MEDIA_TYPES.ociLayer, digest: diffId, size: 1536 };
  const manifestBytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, digest, size: config.length },
      layers: [layer],
    }),
  );
  const manifest = await store.blobs.putBytes(manifestBytes, MEDIA_TYPES.ociManifest);
  const platform = { os: "linux", architecture: "amd64" };
  await store.images.put({
    reference: reference ?? digest,
    imageId: digest,
    manifest,
    platform,
    createdAt: CREATED,
  });
  return digest;
}

const short = (digest: string): string => digest.slice(7, 19);

describe("strake images", () => {
  it("lists names, IDs, ages and sizes like Docker", async () => {
    const a = await putImage("docker.io/library/app:1", "a");
    const b = await putImage("ghcr.io/team/tool:latest", "b");
    const c = await putImage(undefined, "c");
    const { code, stdout } = await strake("images");
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n").sort()).toEqual(
      [
        "REPOSITORY          TAG       IMAGE ID       CREATED       SIZE",
        `app                 1         ${short(a)}   2 hours ago   1.54kB`,
        `ghcr.io/team/tool   latest    ${short(b)}   2 hours ago   1.54kB`,
        `<none>              <none>    ${short(c)}   2 hours ago   1.54kB`,
      ].sort(),
    );
  });

  it("filters by repository or name, prints IDs once, and JSON", async () => {
    const id = await putImage("docker.io/library/app:1");
    await putImage("docker.io/library/app:2");
    await putImage("docker.io/library/apple:1", "y");
    expect((await strake("images", "-q", "app")).stdout).toBe(`${short(id)}\n`);
    expect((await strake("images", "-q", "--no-trunc", "app:2")).stdout).toBe(`${id}\n`);
    expect((await strake("images", "-q", "app:3")).stdout).toBe("");
    expect(JSON.parse((await strake("images", "--json", "app:2")).stdout)).toEqual([
      expect.objectContaining({ name: "app:2", id, created: CREATED, size: 1536 }),
    ]);
  });
});

describe("strake tag", () => {
  it("adds names by name and by ID", async () => {
    const id = await putImage("docker.io/library/app:1");
    expect(await strake("tag", "app:1", "ghcr.io/x/app", "app:2")).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect((await strake("tag", short(id), "third")).code).toBe(0);
    const listed = JSON.parse((await strake("images", "--json")).stdout) as { name: string; id: string }[];
    expect(listed.map(({ name }) => name).sort()).toEqual([
      "app:1",
      "app:2",
      "ghcr.io/x/app:latest",
      "third:latest",
    ]);
    expect(new Set(listed.map((image) => image.id))).toEqual(new Set([id]));
  });

  it("fails for what is not there, and refuses a name that is none", async () => {
    const missing = await strake("tag", "app", "x");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('error: Cannot find image "app": the store does not have it\nhint: ');
    expect((await strake("tag", "app", "UPPER")).code).toBe(2);
  });
});

describe("strake rmi", () => {
  it("removes a name and leaves the others", async () => {
    await putImage("docker.io/library/app:1");
    await putImage("docker.io/library/app:2");
    expect(await strake("rmi", "app:1")).toMatchObject({ code: 0, stdout: "Untagged: app:1\n" });
    expect(JSON.parse((await strake("images", "--json")).stdout)).toHaveLength(1);
  });

  it("removes an ID with several names only when forced", async () => {
    const id = await putImage("docker.io/library/app:1");
    await putImage("docker.io/library/app:2");
    const refused = await strake("rmi", short(id));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("it has 2 names (app:1, app:2)");
    expect((await strake("rmi", "-f", short(id))).stdout).toBe("Untagged: app:1\nUntagged: app:2\n");
  });

  it("goes on after one that is not there", async () => {
    await putImage("docker.io/library/app:1");
    const run = await strake("rmi", "nope", "app:1");
    expect(run).toMatchObject({ code: 1, stdout: "Untagged: app:1\n" });
    expect(run.stderr).toContain('"nope"');
    expect(await strake("rmi", "-f", "nope")).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("strake inspect", () => {
  it("shows Docker's members", async () => {
    const id = await putImage("docker.io/library/app:1");
    const [document] = JSON.parse((await strake("inspect", "app:1")).stdout) as Record<string, unknown>[];
    expect(document).toMatchObject({
      Id: id,
      RepoTags: ["app:1"],
      RepoDigests: [expect.stringMatching(/^app@sha256:/)],
      Created: CREATED,
      Architecture: "amd64",
      Os: "linux",
      Size: 1536,
      Config: { Cmd: ["sh"], Labels: { text: "x" } },
      RootFS: { Type: "layers", Layers: [expect.stringMatching(/^sha256:/)] },
      Manifest: { schemaVersion: 2 },
    });
  });

  it("finds an image by its manifest's digest", async () => {
    const id = await putImage("docker.io/library/app:1");
    const [document] = JSON.parse((await strake("inspect", "app:1")).stdout) as { RepoDigests: string[] }[];
    const byDigest = await strake("inspect", document?.RepoDigests[0] ?? "");
    expect(JSON.parse(byDigest.stdout)).toMatchObject([{ Id: id }]);
  });

  it("prints the very bytes of config and manifest", async () => {
    const id = await putImage("docker.io/library/app:1");
    expect(digestOf((await strake("inspect", "--config", "app:1")).stdoutBytes)).toBe(id);
    const [document] = JSON.parse((await strake("inspect", "app:1")).stdout) as {
      Descriptor: { digest: string };
    }[];
    expect(digestOf((await strake("inspect", "--manifest", "app:1")).stdoutBytes)).toBe(
      document?.Descriptor.digest,
    );
  });
});

describe("strake history", () => {
  it("shows steps newest first with the layers' sizes", async () => {
    const id = await putImage("docker.io/library/app:1");
    expect((await strake("history", "app:1")).stdout).toBe(
      [
        "IMAGE          CREATED       CREATED BY                                      SIZE      COMMENT",
        `${short(id)}   2 hours ago   CMD ["sh"]                                      0B        buildkit.dockerfile.v0`,
        "<missing>      2 hours ago   COPY a-file-with-a-name-that-is-rather-long-…   1.54kB",
        "",
      ].join("\n"),
    );
    const whole = (await strake("history", "--no-trunc", "app:1")).stdout;
    expect(whole).toContain("rather-long-x / # buildkit");
    expect(whole).toContain(id);
    expect(JSON.parse((await strake("history", "--json", "app:1")).stdout)).toMatchObject([
      { isEmpty: true, size: 0 },
      { isEmpty: false, size: 1536 },
    ]);
  });
});

describe("strake cache", () => {
  it("lists and shows records", async () => {
    const key = digestOf("key");
    await new BuildCache(join(root, "cache")).store({
      version: 1,
      key,
      step: "RUN npm ci",
      ingredients: { kind: "exec", argv: ["/bin/sh", "-c", "npm ci"] },
      result: { diffId: digestOf("diff"), treeId: digestOf("tree") },
      createdAt: CREATED,
      durationMs: 1234,
    });
    const { stdout } = await strake("cache", "ls");
    expect(stdout).toMatch(new RegExp(`^${short(key)} +RUN npm ci .* 1\\.2s +gone$`, "m"));
    expect((await strake("cache", "ls", "-q", "--no-trunc")).stdout).toBe(`${key}\n`);
    const shown = (await strake("cache", "show", short(key))).stdout;
    expect(shown).toContain(`Key:    ${key}\nStep:   RUN npm ci\n`);
    expect(shown).toContain('"npm ci"');
    expect(JSON.parse((await strake("cache", "show", "--json", key)).stdout)).toMatchObject({
      key,
      durationMs: 1234,
    });
    expect(await strake("cache", "show", "ffff")).toMatchObject({ code: 1, stdout: "" });
  });
});
