import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Descriptor, digestOf, parseReference } from "../../src/oci/index.ts";
import { RegistryClient } from "../../src/registry/index.ts";
import { toNetworkError } from "../../src/registry/transport/network-error.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { type FaultProxy, startProxy } from "../support/registry-proxy.ts";

describe("what to do about an answer", () => {
  let registry: FaultProxy;
  beforeAll(async () => {
    registry = await startProxy();
  });
  afterAll(() => registry?.[Symbol.asyncDispose]());
  beforeEach(() => registry.reset());

  const newClient = (withCredentials = false) =>
    new RegistryClient({
      clock: new HastyClock(),
      credentials: {
        find: async () =>
          withCredentials
            ? { kind: "password", username: "me", password: "x", origin: "the test" }
            : undefined,
      },
    });
  const repository = (client: RegistryClient) => client.repository(parseReference(`${registry.host}/a/b`));
  const answerAll = (status: number, headers: Record<string, string> = {}, body = ""): void => {
    registry.rule = ({ path }) =>
      path === "/v2/" ? { kind: "answer", status: 200 } : { kind: "answer", status, headers, body };
  };
  const code = (name: string): string => JSON.stringify({ errors: [{ code: name, message: "no" }] });
  const page = { "content-type": "text/html; charset=utf-8" };

  test.each<[string, number, Record<string, string>, string, RegExp]>([
    ["401", 401, { "www-authenticate": 'Basic realm="x"' }, "", /^Log in first: strake login 127\.0\.0\.1:/],
    ["403", 403, {}, code("DENIED"), /^Log in first: strake login 127\.0\.0\.1:/],
    ["404 for a repository", 404, {}, code("NAME_UNKNOWN"), /only to those logged in$/],
    ["404 with a page", 404, page, "<html>nothing here</html>", /^That is a page for people: check that 127/],
    ["500", 500, {}, "", /^The registry is in trouble: try again later$/],
    ["500 with a name", 500, { "x-request-id": "r-1" }, "", /runs it finds this request as r-1$/],
    ["200 with a page", 200, page, "<html>Log in here</html>", /^That is a page for people: check that 127/],
  ])("%s to a pull", async (_name, status, headers, body, hint) => {
    answerAll(status, headers, body);
    await using client = newClient();
    await expect(repository(client).fetchManifest("1")).rejects.toMatchObject({
      message: expect.stringContaining(`Cannot fetch manifest "${registry.host}/a/b:1"`),
      hint: expect.stringMatching(hint),
    });
  });

  test.each<[string, number, Record<string, string>, RegExp]>([
    [
      "401 to a password",
      401,
      { "www-authenticate": 'Basic realm="x"' },
      /^The credentials from the test were refused; log in again: strake login 127/,
    ],
    [
      "403 to a login",
      403,
      {},
      /^The credentials from the test do not allow this: ask for the right to .*\/a\/b, or/,
    ],
    ["413", 413, {}, /no requests of this size$/],
    ["405", 405, {}, /read-only cache$/],
    ["412", 412, {}, /protected from being changed$/],
  ])("%s to a push", async (_name, status, headers, hint) => {
    answerAll(status, headers);
    await using client = newClient(true);
    const bytes = Buffer.from("{}");
    const descriptor: Descriptor = { mediaType: "a/b", digest: digestOf(bytes), size: bytes.byteLength };
    const open = async () =>
      (async function* () {
        yield bytes;
      })();
    await expect(repository(client).pushBlob(descriptor, open)).rejects.toMatchObject({
      hint: expect.stringMatching(hint),
    });
  });

  test("500 to the question for a tag's digest is asked about once more by GET, not as often again", async () => {
    answerAll(500);
    await using client = newClient();
    await expect(repository(client).resolve("1")).rejects.toMatchObject({ code: "SERVER_FAILED" });
    const methods = registry.seen.filter(({ path }) => path !== "/v2/").map(({ method }) => method);
    expect(methods).toEqual([...Array.from({ length: 10 }, () => "HEAD"), "GET"]);
  });

  test("429 to the question for a tag's digest is told with its limits, and not asked again by GET", async () => {
    answerAll(429, { "retry-after": "3600", "ratelimit-limit": "100;w=21600" });
    await using client = newClient();
    await expect(repository(client).resolve("1")).rejects.toMatchObject({
      code: "RATE_LIMITED",
      message: expect.stringContaining("answered 429"),
      hint: expect.stringContaining("100 pulls in 6 h; it wants to be asked again in 3600 s"),
    });
    expect(registry.seen.filter(({ path }) => path !== "/v2/").map(({ method }) => method)).toEqual(["HEAD"]);
    await expect(repository(client).resolve("1")).rejects.toMatchObject({
      code: "RATE_LIMITED",
      message: expect.stringContaining("asked again in 3600 s"),
      hint: expect.stringContaining("mirror"),
    });
  });
});

describe("what is wrong with a certificate", () => {
  test.each<[string, string]>([
    ["CERT_HAS_EXPIRED", "its certificate has expired"],
    ["CERT_NOT_YET_VALID", "its certificate is not valid yet"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate is signed only by itself, and not trusted here"],
    [
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "its certificate is signed by an authority that is not trusted here",
    ],
  ])("%s", (name, message) => {
    const error = toNetworkError(Object.assign(new Error("openssl's words"), { code: name }));
    expect(error).toMatchObject({ fault: "certificate", reason: name, message });
  });

  test("OpenSSL's own places are left out", () => {
    const said = (text: string) => Object.assign(new Error(text), { code: "EPROTO" });
    const words = (what: string) =>
      said(`write EPROTO 80AC:error:0A00010B:SSL routines:ssl3_get_record:${what}:../ssl/record.c:350:\n`);
    expect(toNetworkError(words("wrong version number")).message).toBe("it does not speak TLS");
    expect(toNetworkError(words("no protocols available")).message).toBe(
      "TLS failed: no protocols available",
    );
    expect(toNetworkError(said("write EPROTO")).message).toBe("TLS failed");
  });
});
