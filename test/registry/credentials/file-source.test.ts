import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createFileCredentials,
  credentialFiles,
  removeCredentials,
  storeCredentials,
} from "../../../src/registry/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "strake-credentials-"));
});
afterEach(async () => {
  // A helper that was stopped may just be writing its last line.
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
});

const auth = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString("base64");
const env = () => ({ PATH: `${folder}:${process.env["PATH"]}`, HELPER_LOG: join(folder, "log") });

async function write(name: string, value: unknown): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, typeof value === "string" ? value : JSON.stringify(value));
  return path;
}

/** A helper that notes its calls; `get` runs the given shell code. */
async function helper(name: string, get: string): Promise<void> {
  const path = await write(
    `docker-credential-${name}`,
    `#!/bin/sh\ninput=$(cat)\necho "$1 $input" >> "$HELPER_LOG"\ncase $1 in get) ${get};; esac\n`,
  );
  await chmod(path, 0o755);
}

const calls = async () =>
  (await readFile(join(folder, "log"), "utf8").catch(() => "")).trim().split("\n").filter(Boolean);
const file = (path: string) => ({ path, format: "config" as const });

test("credentialFiles() names the files of all tools, best first", () => {
  const paths = (variables: Record<string, string>) =>
    credentialFiles(variables, "/home/u").map(({ path }) => path);
  expect(paths({})).toEqual([
    "/home/u/.config/containers/auth.json",
    "/home/u/.docker/config.json",
    "/home/u/.dockercfg",
  ]);
  expect(
    paths({
      REGISTRY_AUTH_FILE: "/a",
      XDG_RUNTIME_DIR: "/run/u",
      XDG_CONFIG_HOME: "/c",
      DOCKER_CONFIG: "/d",
    }),
  ).toEqual([
    "/a",
    "/run/u/containers/auth.json",
    "/c/containers/auth.json",
    "/d/config.json",
    "/home/u/.dockercfg",
  ]);
});

describe("createFileCredentials()", () => {
  test("takes the first place that has the registry, not the first place that is there", async () => {
    const one = await write("one.json", { auths: { "a.example": { auth: auth("one", "1") } } });
    const two = await write("two.json", {
      auths: { "a.example": { auth: auth("two", "2") }, "b.example": { auth: auth("two", "2") } },
    });
    const inlineConfig = JSON.stringify({ auths: { "c.example": { auth: auth("inline", "3") } } });
    const source = createFileCredentials({ inlineConfig, files: [file(one), file(two)], env: env() });
    const user = async (registry: string) => {
      const found = await source.find({ registry });
      return found?.kind === "password" ? `${found.username} from ${found.origin}` : undefined;
    };
    expect(await user("a.example")).toBe(`one from ${one}`);
    expect(await user("b.example")).toBe(`two from ${two}`);
    expect(await user("c.example")).toBe("inline from DOCKER_AUTH_CONFIG");
    expect(await user("d.example")).toBeUndefined();
  });

  test("asks a helper once, with Docker Hub's own key", async () => {
    await helper("test", `echo '{"ServerURL":"x","Username":"u","Secret":"s"}'`);
    const path = await write("config.json", { credsStore: "test" });
    const source = createFileCredentials({ files: [file(path)], env: env() });
    const found = await Promise.all([1, 2, 3].map(() => source.find({ registry: "docker.io" })));
    expect(found[2]).toEqual({
      kind: "password",
      username: "u",
      password: "s",
      origin: "docker-credential-test",
    });
    expect(await calls()).toEqual(["get https://index.docker.io/v1/"]);
  });

  test("reads <token> as an identity token", async () => {
    await helper("test", `echo '{"Username":"<token>","Secret":"s"}'`);
    const path = await write("config.json", { credHelpers: { "a.example": "test" } });
    const source = createFileCredentials({ files: [file(path)], env: env() });
    expect(await source.find({ registry: "a.example" })).toMatchObject({
      kind: "identity-token",
      token: "s",
    });
    expect(await source.find({ registry: "b.example" })).toBeUndefined();
  });

  test("goes on to the entry when the helper has nothing", async () => {
    await helper("test", "echo 'credentials not found in native keychain'; exit 1");
    const path = await write("config.json", {
      credsStore: "test",
      auths: { "a.example": { auth: auth("u", "p") } },
    });
    const warnings: string[] = [];
    const source = createFileCredentials({
      files: [file(path)],
      env: env(),
      onWarning: (text) => warnings.push(text),
    });
    expect(await source.find({ registry: "a.example" })).toMatchObject({ username: "u" });
    expect(warnings).toEqual([]);
  });

  test.each([
    ["exit 3", "it ended with status 3"],
    ["echo nonsense", "its output is not JSON"],
    ["echo '{}'", "no Username and Secret"],
    ["exec sleep 30", "did not answer in 0.3 s"],
    ["echo 'no access' >&2; exit 1", "(no access)"],
  ])("warns once when a helper fails: %s", async (code, said) => {
    await helper("test", code);
    const path = await write("config.json", { credsStore: "test" });
    const warnings: string[] = [];
    const onWarning = (text: string) => void warnings.push(text);
    const source = createFileCredentials({
      files: [file(path)],
      env: env(),
      onWarning,
      timeoutMs: code.includes("sleep") ? 300 : 10_000,
    });
    expect(await source.find({ registry: "a.example" })).toBeUndefined();
    expect(await source.find({ registry: "a.example" })).toBeUndefined();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(said);
  });

  test.each([
    ["echo 'the vault is locked' >&2; exit 1", /status 1 \(the vault is locked\)$/],
    ["echo 'no bus'; exit 2", /status 2 \(no bus\)$/],
    ["kill -9 $$", /was ended by SIGKILL$/],
    ["echo topsecret; echo odd >&2", /not JSON \(odd\)$/],
    ["exec sleep 30", /did not answer in 0.3 s$/],
  ])("is an error where something is to be changed: %s", async (code, said) => {
    await helper("test", code);
    const path = await write("config.json", { credsStore: "test" });
    const warnings: string[] = [];
    const source = createFileCredentials({
      files: [file(path)],
      env: env(),
      onWarning: (text) => warnings.push(text),
      timeoutMs: code.includes("sleep") ? 300 : 10_000,
    });
    const error = await source
      .find({ registry: "a.example", writes: true })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "CREDENTIALS_UNUSABLE",
      message: expect.stringMatching(said),
      hint: expect.stringContaining("credHelpers or credsStore"),
    });
    expect(String(error)).toContain(`docker-credential-test, which ${path} names`);
    expect(String(error)).not.toContain("topsecret");
    expect(warnings).toEqual([]);
    // Reading goes on without, and the helper is not asked again.
    expect(await source.find({ registry: "a.example" })).toBeUndefined();
    expect(warnings).toHaveLength(1);
    expect(await calls()).toHaveLength(1);
  });

  test("a helper that fails does not matter where another place has credentials", async () => {
    await helper("test", "exit 1");
    const first = await write("first.json", { credsStore: "test" });
    const second = await write("second.json", { auths: { "a.example": { auth: auth("u", "p") } } });
    const warnings: string[] = [];
    const source = createFileCredentials({
      files: [file(first), file(second)],
      env: env(),
      onWarning: (text) => warnings.push(text),
    });
    expect(await source.find({ registry: "a.example", writes: true })).toMatchObject({ origin: second });
    expect(warnings).toEqual([expect.stringContaining(first)]);
  });

  test("a helper that has nothing is no error for writing either", async () => {
    await helper("test", "echo 'credentials not found in native keychain'; exit 1");
    const path = await write("config.json", { credHelpers: { "a.example": "test" } });
    const source = createFileCredentials({ files: [file(path)], env: env() });
    expect(await source.find({ registry: "a.example", writes: true })).toBeUndefined();
  });

  test("warns once of an entry that cannot be read, and goes on", async () => {
    const broken = await write("broken.json", { auths: { "r.example": { auth: "not base64!!" } } });
    const whole = await write(
      "whole.json",
      `\uFEFF${JSON.stringify({ auths: { "r.example": { auth: auth("a", "b") } } })}`,
    );
    const warnings: string[] = [];
    const source = createFileCredentials({
      env: env(),
      files: [file(broken), file(whole)],
      onWarning: (text) => warnings.push(text),
    });
    expect(await source.find({ registry: "r.example" })).toMatchObject({ username: "a", origin: whole });
    await source.find({ registry: "r.example", repository: "x" });
    expect(warnings).toEqual([expect.stringContaining(`the entry for r.example in ${broken}`)]);
  });

  test("leaves a helper that does not answer as soon as nobody waits for it", async () => {
    await helper("slow", "exec sleep 60");
    const path = await write("config.json", { credsStore: "slow" });
    const warnings: string[] = [];
    const source = createFileCredentials({
      env: env(),
      timeoutMs: 1000,
      files: [file(path)],
      onWarning: (text) => warnings.push(text),
    });
    const controller = new AbortController();
    const finding = source.find({ registry: "r.example", signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(finding).rejects.toThrow("enough");
    expect(warnings).toEqual([]);
  });

  test("warns of a helper that is not there, or whose name is none", async () => {
    const warnings: string[] = [];
    const onWarning = (text: string) => void warnings.push(text);
    for (const name of ["not-installed", "../../bin/sh", "a b"]) {
      const path = await write("config.json", { credsStore: name });
      await createFileCredentials({ files: [file(path)], env: env(), onWarning }).find({
        registry: "a.example",
      });
    }
    expect(warnings.map((text) => text.replace(/^.*: /, ""))).toEqual([
      "there is no such program",
      "that is no name of a helper",
      "that is no name of a helper",
    ]);
  });

  test("warns of a broken file, but fails on one that was asked for", async () => {
    const path = await write("broken.json", "{");
    const warnings: string[] = [];
    const onWarning = (text: string) => void warnings.push(text);
    const source = createFileCredentials({ files: [file(path)], env: env(), onWarning });
    expect(await source.find({ registry: "a.example" })).toBeUndefined();
    expect(warnings).toHaveLength(1);
    const strict = createFileCredentials({ files: [{ ...file(path), required: true }], env: env() });
    await expect(strict.find({ registry: "a.example" })).rejects.toMatchObject({
      code: "CREDENTIALS_UNUSABLE",
    });
    const missing = createFileCredentials({
      files: [{ ...file(join(folder, "no")), required: true }],
      env: env(),
    });
    await expect(missing.find({ registry: "a.example" })).rejects.toMatchObject({
      code: "CREDENTIALS_UNUSABLE",
    });
  });
});

describe("storeCredentials()", () => {
  const password = (username: string, text: string) => ({
    credentials: { kind: "password" as const, username, password: text, origin: "test" },
    username,
  });

  test("makes a file that only its owner reads, and reads it back", async () => {
    const path = join(folder, "new/config.json");
    expect(await storeCredentials("a.example", password("u", "p"), { path, env: env() })).toEqual({
      kind: "file",
      path,
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const source = createFileCredentials({ files: [file(path)], env: env() });
    expect(await source.find({ registry: "a.example" })).toMatchObject({ username: "u", password: "p" });
  });

  test("keeps everything else in its place", async () => {
    const path = await write(
      "config.json",
      '{"z":1,"auths":{"b.example":{"auth":"x"},"a.example":{"auth":"old"},"https://a.example/v1/":{"auth":"older"}},"psFormat":"{{.ID}}"}',
    );
    await storeCredentials("a.example", password("u", "p"), { path, env: env() });
    const text = await readFile(path, "utf8");
    expect(JSON.parse(text)).toEqual({
      z: 1,
      auths: { "b.example": { auth: "x" }, "a.example": { auth: auth("u", "p") } },
      psFormat: "{{.ID}}",
    });
    expect(Object.keys(JSON.parse(text) as object)).toEqual(["z", "auths", "psFormat"]);
  });

  test("stores Docker Hub under the key that Docker looks for, and removes all of its names", async () => {
    const path = await write("config.json", {
      auths: { "docker.io": { auth: "old" }, "c.example": { auth: "x" } },
    });
    await storeCredentials("docker.io", password("u", "p"), { path, env: env() });
    expect(Object.keys((JSON.parse(await readFile(path, "utf8")) as { auths: object }).auths)).toEqual([
      "c.example",
      "https://index.docker.io/v1/",
    ]);
    expect(await removeCredentials("docker.io", { path, env: env() })).toBe(true);
    expect(await removeCredentials("docker.io", { path, env: env() })).toBe(false);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ auths: { "c.example": { auth: "x" } } });
  });

  test("keeps a link to the file a link", async () => {
    const real = await write("real.json", {});
    const path = join(folder, "config.json");
    await symlink(real, path);
    await storeCredentials("a.example", password("u", "p"), { path, env: env() });
    expect(await readFile(real, "utf8")).toContain("a.example");
  });

  test("gives them to the helper where there is one, and nothing to the file", async () => {
    await helper("test", "true");
    const path = await write("config.json", { credsStore: "test" });
    expect(await storeCredentials("a.example", password("u", "secret"), { path, env: env() })).toEqual({
      kind: "helper",
      helper: "test",
    });
    expect(await readFile(path, "utf8")).not.toContain(Buffer.from("u:secret").toString("base64"));
    expect(await removeCredentials("a.example", { path, env: env() })).toBe(true);
    expect(await calls()).toEqual([
      'store {"ServerURL":"a.example","Username":"u","Secret":"secret"}',
      "erase a.example",
    ]);
  });

  test("stores an identity token as Docker does", async () => {
    const path = join(folder, "config.json");
    await storeCredentials(
      "a.example",
      { credentials: { kind: "identity-token", token: "t", origin: "x" }, username: "u" },
      { path, env: env() },
    );
    const source = createFileCredentials({ files: [file(path)], env: env() });
    expect(await source.find({ registry: "a.example" })).toMatchObject({
      kind: "identity-token",
      token: "t",
    });
  });

  test("does not overwrite what it cannot read", async () => {
    const path = await write("config.json", '{"auths": {');
    await expect(
      storeCredentials("a.example", password("u", "p"), { path, env: env() }),
    ).rejects.toMatchObject({
      code: "CREDENTIALS_UNUSABLE",
    });
    expect(await readFile(path, "utf8")).toBe('{"auths": {');
  });
});
