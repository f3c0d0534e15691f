import { describe, expect, test } from "vitest";
import { parseReference } from "../../src/oci/index.ts";
import { RegistryClient } from "../../src/registry/index.ts";
import { refusal } from "../../src/registry/refusal.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { startProxy } from "../support/registry-proxy.ts";

describe("Docker Hub's limit against abuse", () => {
  const html = { "content-type": "text/html" };
  const hub = "https://registry-1.docker.io/v2/a/b/manifests/1";
  const said = async (address: string, headers: Record<string, string>, text: string) => {
    const answer = {
      status: 429,
      headers: { one: (name: string) => headers[name], all: () => [] },
      body: {
        async *[Symbol.asyncIterator]() {
          yield Buffer.from(text);
        },
        discard() {},
      },
      url: new URL(address),
      hops: [],
      tries: 10,
    };
    const attempt = { what: 'fetch manifest "a/b:1"', registry: "docker.io", method: "GET" };
    return await refusal(answer, attempt, 0);
  };

  test.each<[string, string, Record<string, string>, string]>([
    ["a line", hub, { "content-type": "text/plain" }, "Too Many Requests (HAP429)."],
    ["a page", hub, html, "<html>\n<h1>429 Too Many Requests</h1>\n<p>HAP429</p></html>"],
    ["a page without the mark", hub, html, "<html><h1>429 Too Many Requests</h1></html>"],
    ["nothing, to HEAD", hub, html, ""],
    ["nothing, without a type", hub, {}, ""],
    ["its token server", "https://auth.docker.io/token", {}, "Too Many Requests (HAP429)"],
    ["passed on by a mirror", "https://mirror.example/v2/", {}, JSON.stringify({ message: "HAP429" })],
  ])("is told as what it is: %s", async (_name, address, headers, text) => {
    expect(await said(address, headers, text)).toMatchObject({
      code: "RATE_LIMITED",
      message: expect.stringMatching(/answered 429.*, 10 times$/),
      hint: expect.stringMatching(/limit against abuse.* passes by itself .* log in .* mirror$/),
    });
  });

  test.each<[string, string, Record<string, string>, string]>([
    [
      "the limit of pulls",
      hub,
      { "content-type": "application/json" },
      '{"errors":[{"code":"TOOMANYREQUESTS"}]}',
    ],
    ["with headers that tell a limit", hub, { ...html, "ratelimit-limit": "100;w=21600" }, ""],
    ["with the time to come back", hub, { ...html, "retry-after": "5" }, "Too Many Requests"],
    ["of another registry", "https://docker.io.example/v2/", html, "Too Many Requests"],
  ])("is not what else has status 429: %s", async (_name, address, headers, text) => {
    expect((await said(address, headers, text)).hint).toMatch(/^(The registry limits|The limit is)/);
  });

  test("is waited for like every 429, and then told", async () => {
    await using proxy = await startProxy();
    proxy.rule = ({ path }) =>
      path === "/v2/"
        ? { kind: "answer", status: 200 }
        : {
            kind: "answer",
            status: 429,
            headers: { "content-type": "text/plain" },
            body: "Too Many Requests (HAP429).",
          };
    await using client = new RegistryClient({ clock: new HastyClock() });
    const fetching = client.repository(parseReference(`${proxy.host}/a/b`)).fetchManifest("1");
    await expect(fetching).rejects.toMatchObject({
      code: "RATE_LIMITED",
      message: expect.stringContaining("answered 429 (Too Many Requests (HAP429).), 10 times"),
      hint: expect.stringContaining("limit against abuse"),
    });
  });
});
