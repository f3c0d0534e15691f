import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hasRegistry, hasSkopeo, type RegistryServer, startRegistry } from "../../support/registry-server.ts";
import { runCli } from "../run-cli.ts";

const hasHtpasswd = spawnSync("htpasswd", ["-nbB", "a", "b"]).status === 0;
const missing = !hasRegistry ? "docker-registry" : !hasHtpasswd ? "htpasswd" : undefined;

describe.skipIf(missing !== undefined)(
  `login and logout${missing === undefined ? "" : ` (skipped: no ${missing})`}`,
  () => {
    let registry: RegistryServer;
    let folder = "";
    const config = (): string => join(folder, "config.json");
    const strake = (argv: readonly string[], stdin = "", env: Record<string, string> = {}) =>
      runCli(argv, { stdin, env: { DOCKER_CONFIG: folder, ...env } });

    beforeAll(async () => {
      registry = await startRegistry({}, async (at) => {
        const file = join(at, "htpasswd");
        writeFileSync(file, spawnSync("htpasswd", ["-nbB", "me", "sec:ret"]).stdout);
        return { extra: `auth: {htpasswd: {realm: test, path: ${JSON.stringify(file)}}}` };
      });
    });
    afterAll(() => registry[Symbol.asyncDispose]());
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "strake-login-"));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it("store a checked password where the next command finds it", async () => {
      const denied = await strake(["registry", "tags", `${registry.host}/app`]);
      expect(denied.stderr).toContain(`hint: Log in first: strake login ${registry.host}`);

      const run = await strake(["login", "-u", "me", "--password-stdin", registry.host], "sec:ret\n");
      expect(run).toMatchObject({ code: 0, stdout: "Login Succeeded\n" });
      expect(run.stderr).toContain(`stored unencrypted in ${config()}`);
      expect(statSync(config()).mode & 0o777).toBe(0o600);
      expect(run.stdout + run.stderr).not.toContain("sec:ret");

      const allowed = await strake(["registry", "ls", registry.host]);
      expect(allowed).toMatchObject({ code: 0, stderr: "" });
    });

    it.skipIf(!hasSkopeo)(
      `share their file with skopeo${hasSkopeo ? "" : " (skipped: no skopeo)"}`,
      async () => {
        await strake(["login", "-u", "me", "--password-stdin", registry.host], "sec:ret");
        const skopeo = (argv: readonly string[]) =>
          spawnSync("skopeo", [...argv, "--authfile", config(), registry.host], { encoding: "utf8" });
        expect(skopeo(["login", "--get-login"]).stdout).toBe("me\n");
        expect(skopeo(["logout"]).status).toBe(0);
        expect((await strake(["logout", registry.host])).stdout).toBe(`Not logged in to ${registry.host}\n`);

        spawnSync("skopeo", [
          "login",
          "--tls-verify=false",
          "-u",
          "me",
          "-p",
          "sec:ret",
          "--authfile",
          config(),
          registry.host,
        ]);
        expect((await strake(["registry", "ls", registry.host])).code).toBe(0);
      },
    );

    it("store nothing that the registry refuses", async () => {
      const run = await strake(["login", "-u", "me", "--password-stdin", registry.host], "wrong");
      expect(run).toMatchObject({ code: 1, stdout: "" });
      expect(run.stderr).toMatch(
        /^error: Cannot log in to .*401.*\nhint: The user name or the password is wrong/,
      );
      expect(() => readFileSync(config())).toThrow("ENOENT");
    });

    it("keep everything else that is in the file", async () => {
      writeFileSync(
        config(),
        JSON.stringify({ proxies: { default: {} }, auths: { "ghcr.io": { auth: "YTpi" } } }),
      );
      await strake(["login", "-u", "me", "--password-stdin", registry.host], "sec:ret");
      expect((await strake(["logout", registry.host])).stdout).toBe(
        `Removing login credentials for ${registry.host}\n`,
      );
      expect(JSON.parse(readFileSync(config(), "utf8"))).toEqual({
        proxies: { default: {} },
        auths: { "ghcr.io": { auth: "YTpi" } },
      });
    });

    it("use the credential helper that the file names, and then warn of nothing", async () => {
      const helper = join(folder, "docker-credential-kept");
      writeFileSync(helper, `#!/bin/sh\ncat > ${folder}/given.$1\n`);
      chmodSync(helper, 0o755);
      writeFileSync(config(), JSON.stringify({ credsStore: "kept" }));
      const env = { PATH: `${folder}:/usr/bin:/bin` };
      const run = await strake(["login", "-u", "me", "--password-stdin", registry.host], "sec:ret", env);
      expect(run).toMatchObject({ code: 0, stdout: "Login Succeeded\n", stderr: "" });
      expect(JSON.parse(readFileSync(join(folder, "given.store"), "utf8"))).toEqual({
        ServerURL: registry.host,
        Username: "me",
        Secret: "sec:ret",
      });
      expect(readFileSync(config(), "utf8")).not.toContain(Buffer.from("me:sec:ret").toString("base64"));
    });

    it("say when another file's credentials come first", async () => {
      const runtime = join(folder, "run");
      await strake(
        [
          "login",
          "-u",
          "me",
          "--password-stdin",
          "--authfile",
          `${runtime}/containers/auth.json`,
          registry.host,
        ],
        "sec:ret",
      );
      const env = { XDG_RUNTIME_DIR: runtime };
      const run = await strake(["login", "-u", "me", "--password-stdin", registry.host], "sec:ret", env);
      expect(run.stderr).toContain(`WARNING! ${runtime}/containers/auth.json also has credentials`);
    });

    it("warn of a password on the command line", async () => {
      const run = await strake(["login", "-u", "me", "-p", "sec:ret", registry.host]);
      expect(run.code).toBe(0);
      expect(run.stderr).toContain("WARNING! A password on the command line");
    });
  },
);

describe("login", () => {
  it.each([
    [["login", "-u", "me"], "standard input is no terminal"],
    [["login", "--password-stdin"], "without its user name"],
    [["login", "-u", "me", "-p", "x", "--password-stdin"], "Only one of"],
    [["login", "-u", "me", "--password-stdin", "nohost"], "it is no host name"],
  ])("refuses %j", async (argv, message) => {
    const run = await runCli(argv);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain(message);
  });
});
