import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProxy } from "../support/registry-proxy.ts";
import { hasRegistry, hasSkopeo, type RegistryServer, startRegistry } from "../support/registry-server.ts";
import { buildProblem, Workbench } from "./support/workbench.ts";

const problem =
  buildProblem() ??
  (hasRegistry ? undefined : "needs docker-registry") ??
  (hasSkopeo ? undefined : "needs skopeo");

/** A compiler that runs on the build's platform, and makes something for the target's. */
const CROSS = `FROM --platform=$BUILDPLATFORM base AS build
COPY source /source
RUN echo fetched > /deps
ARG TARGETARCH TARGETVARIANT
RUN echo "$(cat /source) for $TARGETARCH$TARGETVARIANT" > /program
FROM scratch
ARG TARGETPLATFORM
LABEL platform=$TARGETPLATFORM
COPY --from=build /program /program
`;

/** Three platforms of which no machine runs more than one. */
const PLATFORMS = ["linux/amd64", "linux/arm/v6", "linux/s390x"];

interface Listed {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly manifests: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly platform?: { readonly architecture: string; readonly variant?: string };
  }[];
}

describe.skipIf(problem !== undefined)(
  `strake build --platform a,b${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let bench: Workbench;
    let registry: RegistryServer;

    beforeAll(async () => {
      bench = await Workbench.create();
      registry = await startRegistry();
      await bench.write("source", "program\n");
      await bench.write("Dockerfile", CROSS);
    });

    afterAll(async () => {
      await bench[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    });

    const build = async (...args: string[]) => {
      const result = await bench.build(args);
      if (result.code !== 0) throw new Error(`the build failed:\n${result.stderr}`);
      return result;
    };
    const strake = async (...args: string[]): Promise<string> => {
      const result = await bench.strake(args);
      if (result.code !== 0) throw new Error(`strake ${args.join(" ")} failed:\n${result.stderr}`);
      return result.stdout;
    };
    const inRegistry = (name: string, ...args: string[]): string =>
      execFileSync(
        "skopeo",
        ["inspect", "--tls-verify=false", ...args, `docker://${registry.host}/${name}`],
        { stdio: "pipe", encoding: "utf8" },
      );

    it("asks for a tag once for all platforms, so that they stand on one version of it", async () => {
      const name = (host: string): string => `${host}/bases/moving:1`;
      await bench.write("moving.Dockerfile", "FROM scratch\nARG TARGETARCH\nLABEL of=$TARGETARCH\n");
      const moving = join(bench.context, "moving.Dockerfile");
      await build("--push", "-t", name(registry.host), "-f", moving, "--platform", PLATFORMS.join(","));
      await using proxy = await startProxy(registry.host);
      await bench.write("user.Dockerfile", `FROM ${name(proxy.host)}\nLABEL made=here\n`);
      const user = join(bench.context, "user.Dockerfile");
      const { code } = await bench.build(
        ["-o", "type=cacheonly", "-f", user, "--platform", PLATFORMS.join(",")],
        { store: join(bench.folder, "other-store") },
      );
      expect(code).toBe(0);
      const asked = proxy.seen.filter(({ path }) => path.includes("/bases/moving/manifests/"));
      const digest = inRegistry("bases/moving:1", "--format", "{{.Digest}}").trim();
      expect(asked.filter(({ path }) => path.endsWith("/1"))).toHaveLength(1);
      expect(
        asked.filter(({ path, method }) => path.endsWith(digest) && method === "GET").length,
      ).toBeLessThan(2);
    });

    it("stands on one version of a name, also where an older one is here for some platforms", async () => {
      const store = join(bench.folder, "mixed-store");
      const name = `${registry.host}/bases/aging:1`;
      await bench.write("aging.Dockerfile", "ARG V\nFROM scratch\nARG V\nLABEL version=$V\n");
      const publish = (version: string): Promise<unknown> =>
        build(
          ...["--push", "-t", name, "-f", join(bench.context, "aging.Dockerfile")],
          ...["--build-arg", `V=${version}`, "--platform", PLATFORMS.join(",")],
        );
      await bench.write("on.Dockerfile", `FROM ${name}\nLABEL made=here\n`);
      const versions = async (platforms: readonly string[]): Promise<readonly unknown[]> => {
        const args = ["-t", "on", "-f", join(bench.context, "on.Dockerfile")];
        const result = await bench.build([...args, "--platform", platforms.join(",")], { store });
        expect(result.code, result.stderr).toBe(0);
        return Promise.all(
          platforms.map(async (platform) => {
            const inspect = ["inspect", ...(platforms.length === 1 ? [] : ["--platform", platform]), "on"];
            const { stdout } = await bench.strake(inspect, { store });
            return JSON.parse(stdout)[0].Config.Labels.version;
          }),
        );
      };
      const [first = "", ...others] = PLATFORMS;
      await publish("old");
      expect(await versions([first])).toEqual(["old"]);
      await publish("new");
      // All that is needed is known here, and of one version.
      expect(await versions([first])).toEqual(["old"]);
      expect(await versions([first, ...others])).toEqual(PLATFORMS.map(() => "new"));
      expect(await versions([first])).toEqual(["new"]);
    });

    it("runs what is for the build's platform there, and once where the target does not matter", async () => {
      const { stderr } = await build("--no-cache", "-o", "type=cacheonly", "--platform", PLATFORMS.join(","));
      // A step that lets another one speak is shown again, under the same number.
      const count = (step: RegExp): number =>
        new Set(stderr.match(new RegExp(`^#.*${step.source}.*$`, "gm"))).size;
      expect(count(/COPY source/)).toBe(1);
      expect(count(/RUN echo fetched/)).toBe(1);
      expect(count(/RUN echo "\$\(cat/)).toBe(PLATFORMS.length);
      expect(count(/COPY --from=build/)).toBe(PLATFORMS.length);
    });

    it("names an index in the store, which images, inspect, history, tag and rmi know", async () => {
      const { stdout } = await build("-q", "-t", "app:1", "--platform", PLATFORMS.join(","));
      const id = stdout.trim();
      const table = await strake("images", "app");
      expect(table.trimEnd().split("\n")).toHaveLength(2);
      expect(table).toContain(id.slice("sha256:".length, "sha256:".length + 12));
      expect(table).toContain(PLATFORMS.join(","));

      const [inspected] = JSON.parse(await strake("inspect", "--platform", "linux/s390x", "app:1"));
      expect(inspected).toMatchObject({
        Architecture: "s390x",
        Config: { Labels: { platform: "linux/s390x" } },
        Platforms: PLATFORMS.map((Platform) => ({ Platform })),
      });
      expect(await strake("history", "--platform", "linux/arm/v6", "app:1")).toContain("COPY /program");
      const { manifests } = JSON.parse(await strake("inspect", "--manifest", "app:1")) as Listed;
      expect(manifests.map(({ platform }) => platform?.architecture)).toEqual(["amd64", "arm", "s390x"]);

      const refused = await bench.strake(["inspect", "--platform", "linux/riscv64", "app:1"]);
      expect(refused.stderr).toContain(`It is for ${PLATFORMS.join(", ")}`);
      expect((await bench.strake(["rmi", inspected.Id])).stderr).toContain("linux/s390x image of another");
      await strake("tag", "app:1", "other:2");
      expect(await strake("images", "-q", "--no-trunc", "other")).toBe(`${id}\n`);
      expect(await strake("rmi", "-f", id)).toBe("Untagged: app:1\nUntagged: other:2\n");
    });

    it("is an OCI layout with it that others can read", async () => {
      await build("-t", "layout:1", "--platform", PLATFORMS.join(","));
      const source = `oci:${bench.store}:docker.io/library/layout:1`;
      for (const [architecture, variant] of [["s390x"], ["arm", "v6"]] as const) {
        const chosen = ["--override-arch", architecture, ...(variant ? ["--override-variant", variant] : [])];
        const config = JSON.parse(
          execFileSync("skopeo", [...chosen, "inspect", "--config", source]).toString(),
        );
        expect(config).toMatchObject({ architecture, ...(variant === undefined ? {} : { variant }) });
      }
    });

    it("pushes the index and all images under each name, and each blob once", async () => {
      const names = ["app:1", "app:2", "team/app:1"].map((name) => `${registry.host}/${name}`);
      const metadata = join(bench.folder, "metadata.json");
      const iidfile = join(bench.folder, "iid");
      const { stderr } = await build(
        ...names.flatMap((name) => ["-t", name]),
        ...["--platform", PLATFORMS.join(","), "--push", "--metadata-file", metadata, "--iidfile", iidfile],
      );
      const index = JSON.parse(inRegistry("team/app:1", "--raw")) as Listed;
      expect(index.manifests.map(({ platform }) => platform?.architecture)).toEqual([
        "amd64",
        "arm",
        "s390x",
      ]);
      expect(inRegistry("app:2", "--raw")).toBe(inRegistry("team/app:1", "--raw"));
      const written = JSON.parse(await readFile(metadata, "utf8"));
      expect(written).toMatchObject({
        "containerimage.descriptor": { mediaType: index.mediaType },
        "image.name": names.join(","),
      });
      expect(written).not.toHaveProperty(["containerimage.config.digest"]);
      expect(await readFile(iidfile, "utf8")).toBe(written["containerimage.digest"]);
      expect(inRegistry("app:1", "--format", "{{.Digest}}").trim()).toBe(written["containerimage.digest"]);
      for (const name of names) expect(stderr).toContain(`Pushed ${name}`);
      const sent = stderr.match(/ [0-9a-f]{12} \d+B \/ \d+B [0-9.]+s done/g) ?? [];
      expect(new Set(sent.map((line) => line.slice(0, 13))).size).toBe(sent.length);
    });

    it("builds on an image of several platforms in the store, on each platform's own", async () => {
      await build("-t", "several:1", "--platform", PLATFORMS.join(","));
      await bench.write("on.Dockerfile", "FROM several:1\nCOPY source /more\n");
      const file = join(bench.context, "on.Dockerfile");
      const out = join(bench.folder, "on");
      await build("-f", file, "--platform", "linux/s390x,linux/arm/v7", "-o", out);
      expect(await readFile(join(out, "linux_s390x/program"), "utf8")).toBe("program for s390x\n");
      // v6 is the best there is for v7.
      expect(await readFile(join(out, "linux_arm_v7/program"), "utf8")).toBe("program for armv6\n");
    });

    it("gives each platform's files a folder, unless the platforms have different files and are to share one", async () => {
      await bench.write("files.Dockerfile", "FROM scratch\nARG TARGETARCH\nCOPY source /bin/$TARGETARCH\n");
      const common = [
        "-f",
        join(bench.context, "files.Dockerfile"),
        "--platform",
        "linux/amd64,linux/arm/v7",
      ];
      const tar = join(bench.folder, "files.tar");
      const list = (): string[] => execFileSync("tar", ["tf", tar]).toString().trim().split("\n");
      await build(...common, "-o", `type=tar,dest=${tar}`);
      expect(list().filter((name) => !name.endsWith("/"))).toEqual([
        "linux_amd64/bin/amd64",
        "linux_arm_v7/bin/arm",
      ]);
      const shared = join(bench.folder, "shared");
      await build(...common, "-o", `type=local,dest=${shared},platform-split=false`);
      expect((await readdir(join(shared, "bin"))).sort()).toEqual(["amd64", "arm"]);

      await bench.write("same.Dockerfile", "FROM scratch\nCOPY source /same\n");
      const clash = await bench.build([
        ...["-f", join(bench.context, "same.Dockerfile"), "--platform", "linux/amd64,linux/arm/v7"],
        ...["-o", `type=tar,dest=${tar},platform-split=false`],
      ]);
      expect(clash.stderr).toContain('linux/amd64 and linux/arm/v7 both have "same"');
      expect(list()).toContain("linux_amd64/bin/amd64");
    });

    it("says what to install when a RUN is for another kind of machine, and which step it was", async () => {
      await bench.write("foreign", "\x7fELF not for here");
      await bench.write("run.Dockerfile", 'FROM scratch\nCOPY --chmod=755 foreign /sh\nRUN ["/sh"]\n');
      const file = join(bench.context, "run.Dockerfile");
      const { code, stderr } = await bench.build(["-f", file, "--platform", "linux/loong64"]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/>>> RUN \["\/sh"\]/);
      expect(stderr).toMatch(/hint: .*(linux\/loong64)/);
    });

    it("takes the platform from DOCKER_DEFAULT_PLATFORM, and one platform is no index", async () => {
      const env = { DOCKER_DEFAULT_PLATFORM: "linux/arm/v6" };
      const result = await bench.build(["-t", "standard:1"], { env });
      expect(result.code).toBe(0);
      const [image] = JSON.parse(await strake("inspect", "standard:1"));
      expect(image).toMatchObject({ Architecture: "arm", Variant: "v6" });
      expect(image).not.toHaveProperty("Platforms");
    });

    it("writes Docker's media types when OCI's are refused, and plain layers where they are asked for", async () => {
      await build(
        ...["--platform", "linux/amd64,linux/s390x"],
        ...["-o", `type=image,name=${registry.host}/types:1,push=true,oci-mediatypes=false`],
      );
      const list = JSON.parse(inRegistry("types:1", "--raw")) as Listed;
      expect(list.mediaType).toBe("application/vnd.docker.distribution.manifest.list.v2+json");
      const child = JSON.parse(inRegistry(`types@${list.manifests[1]?.digest}`, "--raw"));
      expect([child.mediaType, child.config.mediaType, child.layers[0].mediaType]).toEqual([
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
      ]);
      await build("-o", `type=image,name=${registry.host}/types:2,push=true,compression=uncompressed`);
      expect(JSON.parse(inRegistry("types:2", "--raw")).layers[0].mediaType).toBe(
        "application/vnd.oci.image.layer.v1.tar",
      );
    });

    it("keeps the base's compression unless it is forced", async () => {
      await bench.write("base.Dockerfile", "FROM base\nCOPY source /source\n");
      const typesOf = async (options: string): Promise<string[]> => {
        const name = `layers:${options.length}`;
        await build(
          ...["-f", join(bench.context, "base.Dockerfile")],
          ...["-o", `type=image,name=${registry.host}/${name},push=true,${options}`],
        );
        const { layers } = JSON.parse(inRegistry(name, "--raw")) as { layers: { mediaType: string }[] };
        return layers.map(({ mediaType }) => mediaType.replace("application/vnd.oci.image.layer.v1.", ""));
      };
      expect(await typesOf("compression=uncompressed")).toEqual(["tar+gzip", "tar"]);
      expect(await typesOf("compression=uncompressed,force-compression=true")).toEqual(["tar", "tar"]);
    });

    it("pushes by digest, without a tag and without a name in the store", async () => {
      const { stderr } = await build(
        "-o",
        `type=image,name=${registry.host}/untagged,push=true,push-by-digest=true,store=false`,
      );
      const digest = /Pushed \S+\/untagged@(sha256:[0-9a-f]{64})/.exec(stderr)?.[1];
      expect(JSON.parse(inRegistry(`untagged@${digest}`, "--raw")).mediaType).toContain("image.manifest");
      expect(() => inRegistry("untagged:latest")).toThrow();
      expect(await strake("images")).not.toContain("untagged");
    });

    it("puts annotations where they belong; one for the index makes an index", async () => {
      const name = `${registry.host}/annotated:1`;
      await build(
        ...["--platform", "linux/amd64,linux/s390x", "-t", name, "--push"],
        ...["--annotation", "all=1", "--annotation", "manifest[linux/s390x]:own=2"],
        ...["--annotation", "index,manifest-descriptor:both=3"],
      );
      const index = JSON.parse(inRegistry("annotated:1", "--raw")) as Listed;
      expect(index.annotations).toEqual({ both: "3" });
      const found = index.manifests.map(({ digest, annotations }) => [
        annotations,
        JSON.parse(inRegistry(`annotated@${digest}`, "--raw")).annotations,
      ]);
      expect(found).toEqual([
        [{ both: "3" }, { all: "1" }],
        [{ both: "3" }, { all: "1", own: "2" }],
      ]);

      await build("-t", name, "--push", "--annotation", "index:k=v");
      const single = JSON.parse(inRegistry("annotated:1", "--raw")) as Listed;
      expect(single.annotations).toEqual({ k: "v" });
      expect(single.manifests).toHaveLength(1);

      const refused = await bench.build(["--annotation", "manifest[linux/s390x]:k=v"]);
      expect(refused.stderr).toMatch(/linux\/s390x is not built/);
    });

    it("makes an index and a folder of one platform, too, where BUILDKIT_MULTI_PLATFORM asks for it", async () => {
      const out = join(bench.folder, "one");
      const { stderr } = await build(
        ...["--build-arg", "BUILDKIT_MULTI_PLATFORM=1", "--platform", "linux/s390x"],
        ...["-t", "one:1", "-o", out, "-o", "type=image"],
      );
      expect(stderr).toContain("for linux/s390x");
      expect(await readdir(out)).toEqual(["linux_s390x"]);
      expect(JSON.parse(await strake("inspect", "--manifest", "one:1"))).toMatchObject({
        manifests: [{ platform: { architecture: "s390x" } }],
      });
    });

    it("writes to a device instead of replacing it", async () => {
      await build("-o", "type=oci,dest=/dev/null");
      await build("-o", "type=tar,dest=/dev/null");
      const { stat } = await import("node:fs/promises");
      expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
    });
  },
);
