import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasRegistry, type RegistryServer, startRegistry } from "../support/registry-server.ts";
import { runCli } from "./run-cli.ts";

const isRoot = process.geteuid?.() === 0;
const missing = !hasRegistry
  ? "docker-registry is not installed"
  : !isRoot
    ? "building takes root"
    : undefined;

describe.skipIf(missing !== undefined)(
  `push and pull${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let folder = "";
    let registry: RegistryServer;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "strake-cli-registry-"));
      registry = await startRegistry();
      mkdirSync(join(folder, "context"));
      writeFileSync(join(folder, "context/file"), "content\n");
    });
    afterAll(async () => {
      await registry[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    const strake = (store: string, argv: readonly string[], stdin = "", env = {}) =>
      runCli(argv, { cwd: folder, stdin, env: { STRAKE_ROOT: join(folder, store), ...env } });

    async function build(store: string, name: string, dockerfile: string): Promise<string> {
      const run = await strake(store, ["build", "-q", "-t", name, "-f", "-", "context"], dockerfile);
      expect(run).toMatchObject({ code: 0, stderr: "" });
      return run.stdout.trim();
    }

    it("give another store the same image", async () => {
      const name = `${registry.host}/app:1`;
      const id = await build("here", name, 'FROM scratch\nCOPY file /file\nCMD ["/file"]\n');
      const pushed = await strake("here", ["push", name]);
      expect(pushed.code).toBe(0);
      expect(pushed.stdout).toMatch(new RegExp(`^${name}@sha256:[0-9a-f]{64}\n$`));

      const pulled = await strake("there", ["pull", "--unpack", name]);
      expect(pulled).toMatchObject({ code: 0, stdout: `${name}\n` });
      const [image] = JSON.parse((await strake("there", ["inspect", name])).stdout) as [
        Record<string, unknown>,
      ];
      expect(image).toMatchObject({ Id: id, RepoTags: [name], Config: { Cmd: ["/file"] } });
      expect(image["Layers"]).toMatchObject([{ Unpacked: true }]);
      expect(pushed.stdout).toContain((image["Descriptor"] as { digest: string }).digest);
    });

    it("tell their results as JSON", async () => {
      const name = `${registry.host}/json:1`;
      const id = await build("here", name, "FROM scratch\nCOPY file /json\n");
      const pushed = JSON.parse((await strake("here", ["push", "-q", "--json", name])).stdout) as object;
      expect(pushed).toMatchObject({ name, blobs: { uploaded: 2, mounted: 0, present: 0 } });
      const pulled = JSON.parse((await strake("there", ["pull", "-q", "--json", name])).stdout) as object;
      expect(pulled).toEqual({ name, id, digest: (pushed as { digest: string }).digest });
    });

    it("send nothing that is there already", async () => {
      const name = `${registry.host}/twice:1`;
      await build("here", name, "FROM scratch\nCOPY file /twice\n");
      await strake("here", ["push", name]);
      await strake("here", ["tag", name, `${registry.host}/elsewhere:1`]);
      const again = await strake("here", ["push", name]);
      expect(again.stderr.match(/is already there/g)).toHaveLength(2);
      expect((await strake("there", ["pull", name])).code).toBe(0);
      expect((await strake("there", ["pull", name])).stderr).toContain("is already there");
    });

    it("take an image by digest", async () => {
      const name = `${registry.host}/digest:1`;
      const id = await build("here", name, "FROM scratch\nLABEL by=digest\n");
      const [pushed = ""] = (await strake("here", ["push", "-q", name])).stdout.split("\n");
      const byDigest = pushed.replace(":1@", "@");
      expect(await strake("there", ["pull", "-q", byDigest])).toMatchObject({
        code: 0,
        stdout: `${byDigest}\n`,
      });
      expect(JSON.parse((await strake("there", ["inspect", byDigest])).stdout)).toMatchObject([{ Id: id }]);
    });

    it("leave a base image's layers where they are until somebody reads them", async () => {
      const base = `${registry.host}/base:1`;
      const derived = `${registry.host}/derived:1`;
      await build("here", base, "FROM scratch\nCOPY file /base\n");
      await strake("here", ["push", base]);

      await build("fresh", derived, `FROM ${base}\nLABEL derived=yes\n`);
      const unpacked = JSON.parse((await strake("fresh", ["inspect", derived])).stdout) as [
        { Layers: unknown[] },
      ];
      expect(unpacked[0].Layers).toMatchObject([{ Unpacked: false, Blob: { size: expect.any(Number) } }]);

      const pushed = await strake("fresh", ["push", derived]);
      expect(pushed.code).toBe(0);
      expect(pushed.stderr).toContain("mounted from");

      // The name is known here by now, the bytes still are not.
      await build("fresh", "copied", `FROM ${base} AS base\nFROM scratch\nCOPY --from=base /base /copied\n`);
      await build("fresh", "again", `FROM ${derived} AS base\nFROM scratch\nCOPY --from=base /base /again\n`);
      expect((await strake("there", ["pull", derived])).code).toBe(0);
    });

    it("are done by build --push", async () => {
      const name = `${registry.host}/pushed:1`;
      const run = await strake(
        "here",
        ["build", "--push", "-t", name, "-f", "-", "context"],
        "FROM scratch\nLABEL a=b\n",
      );
      expect(run.code).toBe(0);
      expect(run.stderr).toContain(`Pushed ${name}\n`);
      expect((await strake("there", ["pull", name])).code).toBe(0);
    });

    it("ask mirrors first", async () => {
      await build("here", `${registry.host}/mirrored:1`, "FROM scratch\nLABEL from=mirror\n");
      await strake("here", ["push", `${registry.host}/mirrored:1`]);
      const mirrors = (text: string) => ({ STRAKE_REGISTRY_MIRRORS: text });
      const name = "registry.invalid/mirrored:1";
      const pulled = await strake(
        "there",
        ["pull", "-q", name],
        "",
        mirrors(`registry.invalid=${registry.host}`),
      );
      expect(pulled).toMatchObject({ code: 0, stdout: `${name}\n` });
      const wrong = await strake("there", ["pull", name], "", mirrors("registry.invalid"));
      expect(wrong).toMatchObject({ code: 2 });
      expect(wrong.stderr).toContain("$STRAKE_REGISTRY_MIRRORS");
    });

    it("fail with one sentence", async () => {
      const absent = await strake("there", ["pull", "-q", `${registry.host}/absent:1`]);
      expect(absent).toMatchObject({ code: 1, stdout: "" });
      expect(absent.stderr).toMatch(/^error: Cannot fetch manifest ".*\/absent:1": .*404/);
      expect(absent.stderr).not.toContain("    at ");
      const unknown = await strake("here", ["push", "never-built"]);
      expect(unknown).toMatchObject({ code: 1, stdout: "" });
      expect(unknown.stderr).toContain('error: Cannot find image "never-built"');
      expect((await strake("here", ["push", "UPPER"])).code).toBe(2);
      const id = await build("here", "by-id", "FROM scratch\nLABEL by=id\n");
      const byId = await strake("here", ["push", id.slice(7, 19)]);
      expect(byId).toMatchObject({ code: 2, stdout: "" });
      expect(byId.stderr).toContain("an image ID names no registry");
    });
  },
);
