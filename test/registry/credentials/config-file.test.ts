import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  credentialsOf,
  locateCredentials,
  parseCredentialFile,
  parseLegacyFile,
} from "../../../src/registry/credentials/config-file.ts";
import { RegistryError } from "../../../src/registry/index.ts";

const auth = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString("base64");

function find(config: object, registry: string, repository?: string): string[] {
  const file = parseCredentialFile(JSON.stringify(config), "test");
  return locateCredentials(file, registry, repository).map((location) => {
    if (location.kind === "helper") return `helper ${location.helper}`;
    const found = credentialsOf(location.entry, "test");
    if (found === undefined) return "nothing";
    return found.kind === "password" ? `${found.username}:${found.password}` : `${found.kind} ${found.token}`;
  });
}

describe("locateCredentials()", () => {
  test.each<[string, object, string, string | undefined, string[]]>([
    ["an entry", { auths: { "r.example": { auth: auth("u", "p:q") } } }, "r.example", undefined, ["u:p:q"]],
    ["another registry's", { auths: { "s.example": { auth: auth("u", "p") } } }, "r.example", undefined, []],
    ["another port's", { auths: { "r.example:5000": { auth: auth("u", "p") } } }, "r.example", undefined, []],
    [
      "Docker Hub's old key",
      { auths: { "https://index.docker.io/v1/": { auth: auth("u", "p") } } },
      "docker.io",
      "library/x",
      ["u:p"],
    ],
    [
      "Docker Hub by its name",
      { auths: { "docker.io": { auth: auth("u", "p") } } },
      "docker.io",
      "library/x",
      ["u:p"],
    ],
    [
      "a key with a scheme",
      { auths: { "https://r.example/v2/": { auth: auth("u", "p") } } },
      "r.example",
      undefined,
      ["u:p"],
    ],
    [
      "the longest path",
      {
        auths: {
          "r.example": { auth: auth("a", "1") },
          "r.example/ns": { auth: auth("b", "2") },
          "r.example/ns/x/y": { auth: auth("c", "3") },
        },
      },
      "r.example",
      "ns/x",
      ["b:2"],
    ],
    ["a path of others", { auths: { "r.example/other": { auth: auth("b", "2") } } }, "r.example", "ns/x", []],
    [
      "username and password apart",
      { auths: { "r.example": { username: "u", password: "p" } } },
      "r.example",
      undefined,
      ["u:p"],
    ],
    [
      "an identity token",
      { auths: { "r.example": { auth: auth("u", ""), identitytoken: "t" } } },
      "r.example",
      undefined,
      ["identity-token t"],
    ],
    [
      "the user <token>",
      { auths: { "r.example": { auth: auth("<token>", "t") } } },
      "r.example",
      undefined,
      ["identity-token t"],
    ],
    [
      "a registry token",
      { auths: { "r.example": { registrytoken: "t" } } },
      "r.example",
      undefined,
      ["registry-token t"],
    ],
    [
      "NULs at the end",
      { auths: { "r.example": { auth: auth("u", "p\0\0") } } },
      "r.example",
      undefined,
      ["u:p"],
    ],
    ["an empty entry", { auths: { "r.example": {} } }, "r.example", undefined, ["nothing"]],
    [
      "a store for all, then the entry",
      { credsStore: "desktop", auths: { "r.example": { auth: auth("u", "p") } } },
      "r.example",
      undefined,
      ["helper desktop", "u:p"],
    ],
    [
      "a helper of its own before the store",
      { credsStore: "desktop", credHelpers: { "r.example": "ecr" } },
      "r.example",
      undefined,
      ["helper ecr"],
    ],
    ["what is no entry", { auths: { "r.example": "x", "s.example": null } }, "r.example", undefined, []],
  ])("%s", (_name, config, registry, repository, expected) => {
    expect(find(config, registry, repository)).toEqual(expected);
  });

  test("takes names that objects have of their own for what they are", () => {
    expect(find({ auths: {} }, "constructor")).toEqual([]);
    expect(find({ credHelpers: {} }, "toString")).toEqual([]);
  });
});

test("parseLegacyFile() reads .dockercfg", () => {
  const file = parseLegacyFile(
    JSON.stringify({ "https://index.docker.io/v1/": { auth: auth("u", "p"), email: "x" } }),
    "t",
  );
  expect(file.auths.get("https://index.docker.io/v1/")).toEqual({ username: "u", password: "p" });
});

test("parseCredentialFile() throws only its own error, which shows nothing of the text", () => {
  expect(() => parseCredentialFile('{"auths": "secret', "f")).toThrow(
    "Cannot read credentials from f: it is not JSON",
  );
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      try {
        parseCredentialFile(text, "f");
      } catch (error) {
        expect(error).toBeInstanceOf(RegistryError);
        expect((error as Error).message).toMatch(
          /^Cannot read credentials from f: it is (not JSON|no JSON object)$/,
        );
      }
    }),
  );
});
