import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeEngineOptions, startFakeEngine } from "../support/fake-engine.ts";
import { buildProblem, type CliResult, Workbench } from "./support/workbench.ts";

const problem = buildProblem();

describe.skipIf(problem !== undefined)(
  `strake build --load${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let bench: Workbench;

    beforeAll(async () => {
      bench = await Workbench.create();
      await bench.write("a", "a\n");
      await bench.write("Dockerfile", "FROM scratch\nCOPY a /\n");
      // More than a socket takes in before somebody reads.
      await writeFile(join(bench.context, "large"), randomBytes(8 << 20));
      await bench.write("large.Dockerfile", "FROM scratch\nCOPY large /\n");
    });

    afterAll(() => bench[Symbol.asyncDispose]());

    const load = async (
      args: readonly string[],
      options: FakeEngineOptions = {},
    ): Promise<CliResult & { readonly loaded: readonly Uint8Array[] }> => {
      await using engine = await startFakeEngine(options);
      const env = { DOCKER_HOST: `unix://${engine.socketPath}` };
      const result = await bench.build(args, { env });
      return { ...result, loaded: engine.loaded };
    };
    const listOf = (archive: Uint8Array): string[] =>
      execFileSync("tar", ["t"], { input: archive }).toString().trim().split("\n");

    it("hands the engine an archive that docker load takes, and keeps the image in the store", async () => {
      const { code, stderr, loaded } = await load(["-t", "app:1", "-t", "app:2", "--load"]);
      expect(code).toBe(0);
      expect(stderr).toMatch(/Named app:1\nNamed app:2\nLoaded app:1 into unix:/);
      const [archive = Buffer.alloc(0)] = loaded;
      expect(listOf(archive)).toEqual(expect.arrayContaining(["manifest.json", "index.json", "oci-layout"]));
      const manifest = JSON.parse(
        execFileSync("tar", ["xO", "manifest.json"], { input: archive }).toString(),
      );
      expect(manifest).toMatchObject([
        { RepoTags: ["docker.io/library/app:1", "docker.io/library/app:2"], Layers: [expect.any(String)] },
      ]);
      expect((await bench.strake(["images", "app"])).stdout.trim().split("\n")).toHaveLength(3);
    });

    it("only the engine gets it with -o type=docker", async () => {
      const { code, loaded, stderr } = await load(["-t", "only:1", "-o", "type=docker"]);
      expect([code, loaded.length]).toEqual([0, 1]);
      expect(stderr).not.toContain("Named");
      expect((await bench.strake(["images", "-q", "only"])).stdout).toBe("");
    });

    it("fails with the engine's words", async () => {
      for (const status of [200, 500]) {
        const body = status === 200 ? { error: "invalid tar header" } : { message: "invalid tar header" };
        const { code, stderr } = await load(["-o", "type=docker"], {
          onLoad: (response) => response.writeHead(status).end(JSON.stringify(body)),
        });
        expect(code).toBe(1);
        expect(stderr).toMatch(/error: Cannot load the image into unix:\S+: invalid tar header/);
      }
    });

    it("fails with the engine's words also when it does not read what is sent", async () => {
      const { code, stderr } = await load(
        ["-f", join(bench.context, "large.Dockerfile"), "-o", "type=docker"],
        { refusesUnread: true },
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /error: Cannot load the image into unix:\S+: (no space left on device|.*(EPIPE|ECONNRESET|closed))/,
      );
    });

    it("several platforms only go where indexes are kept", async () => {
      const args = ["--platform", "linux/amd64,linux/arm64", "-t", "several:1", "-o", "type=docker"];
      const refused = await load(args);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("containerd image store");
      const { code, loaded } = await load(args, {
        info: { DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] },
      });
      expect(code).toBe(0);
      const archive = loaded[0] as Uint8Array;
      expect(listOf(archive)).not.toContain("manifest.json");
      const index = JSON.parse(execFileSync("tar", ["xO", "index.json"], { input: archive }).toString());
      expect(index.manifests[0].mediaType).toBe("application/vnd.oci.image.index.v1+json");
    });

    it("an engine that was named and is not there is an error", async () => {
      const env = { DOCKER_HOST: `unix://${bench.folder}/nobody.sock` };
      const { code, stderr } = await bench.build(["--load"], { env });
      expect(code).toBe(1);
      expect(stderr).toMatch(/Cannot load the image into unix:\S+nobody.sock: .*ENOENT/);
    });
  },
);
