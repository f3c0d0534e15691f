import { describe, expect, it, test } from "vitest";
import { authorizeGit } from "../../../../src/builder/sources/git/git-authorization.ts";
import { gitEnvironment } from "../../../../src/builder/sources/git/git-environment.ts";

const settings = { variables: {}, knownHostsFile: "/store/known hosts" };

describe("gitEnvironment()", () => {
  it("passes on PATH, proxies and certificates, and nothing else of the user's", () => {
    const variables = {
      PATH: "/bin",
      https_proxy: "http://proxy",
      GIT_SSL_CAINFO: "/ca.pem",
      GIT_DIR: "/elsewhere",
      GIT_CONFIG_PARAMETERS: "'core.hooksPath=/evil'",
      GIT_SSH: "/evil",
      AWS_SECRET_ACCESS_KEY: "secret",
    };
    const env = gitEnvironment({ ...settings, variables }, "file");
    expect(env).toMatchObject({ PATH: "/bin", https_proxy: "http://proxy", GIT_SSL_CAINFO: "/ca.pem" });
    expect(env).not.toHaveProperty("GIT_DIR");
    expect(env).not.toHaveProperty("GIT_SSH");
    expect(env).not.toHaveProperty("GIT_CONFIG_PARAMETERS");
    expect(JSON.stringify(env)).not.toContain("secret");
  });

  it("allows only the protocols named, and no configuration from elsewhere", () => {
    const env = gitEnvironment(settings, "http:https:ssh:git");
    expect(env).toMatchObject({
      GIT_ALLOW_PROTOCOL: "http:https:ssh:git",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_TERMINAL_PROMPT: "0",
    });
    expect(configOf(env).get("core.hooksPath")).toBe("/dev/null");
  });

  it("gives credentials as configuration for their address only", () => {
    const authorization = { scope: "https://x/", header: "Basic abc" };
    const env = gitEnvironment({ ...settings, authorization }, "http:https:ssh:git");
    expect(configOf(env).get("http.https://x/.extraHeader")).toBe("Authorization: Basic abc");
  });

  it("quotes the file of known hosts for ssh and for the shell", () => {
    expect(
      gitEnvironment({ ...settings, knownHostsFile: "/a b/it's 5%" }, "file")["GIT_SSH_COMMAND"],
    ).toContain(`UserKnownHostsFile='"/a b/it'\\''s 5%%"'`);
  });
});

describe("authorizeGit()", () => {
  const secret = (id: string, text: string) => ({
    id,
    from: { kind: "env" as const, value: Buffer.from(text) },
  });
  const token = (text: string) => `Basic ${Buffer.from(`x-access-token:${text}`).toString("base64")}`;

  it("takes credentials out of an address", async () => {
    expect(await authorizeGit("https://me:p%40ss@host/a.git", [])).toEqual({
      remote: "https://host/a.git",
      authorization: {
        scope: "https://host/a.git",
        header: `Basic ${Buffer.from("me:p@ss").toString("base64")}`,
      },
    });
    expect(await authorizeGit("ssh://git@host/a.git", [secret("GIT_AUTH_TOKEN", "t")])).toEqual({
      remote: "ssh://git@host/a.git",
    });
  });

  test.each([
    [
      ["GIT_AUTH_TOKEN"],
      "https://host:1/a.git",
      { scope: "https://host:1/a.git", header: token("GIT_AUTH_TOKEN") },
    ],
    [
      ["GIT_AUTH_TOKEN", "GIT_AUTH_HEADER"],
      "https://h/a.git",
      { scope: "https://h/a.git", header: "GIT_AUTH_HEADER" },
    ],
    [
      ["GIT_AUTH_HEADER", "GIT_AUTH_TOKEN.host:1"],
      "https://host:1/a.git",
      { scope: "https://host:1/", header: token("GIT_AUTH_TOKEN.host:1") },
    ],
    [
      ["GIT_AUTH_TOKEN"],
      "https://github.com/a/b.git",
      { scope: "https://github.com/", header: token("GIT_AUTH_TOKEN") },
    ],
  ])("with %j for %s", async (ids, remote, expected) => {
    // Files end in a newline, which is no part of a token.
    const secrets = ids.map((id) => secret(id, `${id}\n`));
    expect((await authorizeGit(remote, secrets)).authorization).toEqual(expected);
  });

  it("gives a secret of another host to nobody", async () => {
    expect(await authorizeGit("https://host/a.git", [secret("GIT_AUTH_TOKEN.other", "t")])).toEqual({
      remote: "https://host/a.git",
    });
  });
});

function configOf(env: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const count = Number(env["GIT_CONFIG_COUNT"]);
  return new Map(
    Array.from({ length: count }, (_, i) => [
      env[`GIT_CONFIG_KEY_${i}`] ?? "",
      env[`GIT_CONFIG_VALUE_${i}`] ?? "",
    ]),
  );
}
