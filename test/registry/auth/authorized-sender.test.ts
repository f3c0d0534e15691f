import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Credentials, RegistryClient, type RegistryEvent } from "../../../src/registry/index.ts";
import { HastyClock } from "../../support/registry-clock.ts";
import { type Fault, type FaultProxy, type SeenRequest, startProxy } from "../../support/registry-proxy.ts";

let registry: FaultProxy;
beforeAll(async () => {
  registry = await startProxy();
});
afterAll(async () => await registry[Symbol.asyncDispose]());
beforeEach(() => registry.reset());

const TAGS: Fault = { kind: "answer", status: 200, body: '{"tags":["a"]}' };
const bearer = (more = "") => `Bearer realm="http://${registry.host}/token",service="s"${more}`;
const refused = (...challenges: string[]): Fault => ({
  kind: "answer",
  status: 401,
  headers: { "www-authenticate": challenges.join(", ") },
});
const token = (body: unknown, status = 200): Fault => ({
  kind: "answer",
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const isToken = ({ path }: SeenRequest) => path.startsWith("/token");
const scopesOf = ({ path }: SeenRequest) => new URL(path, "http://x").searchParams.getAll("scope");

/** Answers what is posted with JSON, or with 400. */
async function startTokenServer(
  answer: (form: URLSearchParams) => unknown,
): Promise<AsyncDisposable & { readonly realm: string }> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const value = answer(new URLSearchParams(body)) ?? { error: "invalid_grant" };
      response.writeHead("error" in (value as object) ? 400 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function listTags(client: RegistryClient): Promise<string[]> {
  const tags: string[] = [];
  for await (const page of client.repository({ registry: registry.host, repository: "a/b" }).listTags())
    tags.push(...page);
  return tags;
}

describe("a 401", () => {
  test("that wants more than was asked for gets it, from the first request on and once", async () => {
    const extra = "repository:real/b:pull";
    registry.rule = (request) => {
      if (request.path === "/v2/") return { kind: "answer", status: 200 };
      if (isToken(request)) return token({ token: scopesOf(request).includes(extra) ? "enough" : "short" });
      if (request.headers.authorization === "Bearer enough") return TAGS;
      const told = request.headers.authorization === undefined ? "" : ',error="insufficient_scope"';
      return refused(bearer(`,scope="${extra}"${told}`));
    };
    await using client = new RegistryClient({ clock: new HastyClock() });
    expect(await listTags(client)).toEqual(["a"]);
    expect(await listTags(client)).toEqual(["a"]);
    expect(registry.seen.filter(isToken).map(scopesOf)).toEqual([
      ["repository:a/b:pull"],
      ["repository:a/b:pull", extra],
    ]);
  });

  test("that never has enough is final", async () => {
    let count = 0;
    registry.rule = (request) => {
      if (request.path === "/v2/") return { kind: "answer", status: 200 };
      if (isToken(request)) return token({ token: `t${count}` });
      return refused(bearer(`,scope="repository:other/${count++}:pull",error="insufficient_scope"`));
    };
    await using client = new RegistryClient({ clock: new HastyClock() });
    await expect(listTags(client)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(registry.seen.filter(isToken)).toHaveLength(2);
  });

  test("that offers only unknown ways to log in is looked up at /v2/", async () => {
    registry.rule = (request) => {
      if (isToken(request)) return token({ token: "t" });
      if (request.headers.authorization === "Bearer t") return TAGS;
      return request.path === "/v2/" ? refused(bearer()) : refused("Negotiate");
    };
    await using client = new RegistryClient({ clock: new HastyClock() });
    expect(await listTags(client)).toEqual(["a"]);
  });
});

describe("an identity token that has ended", () => {
  const stale: Credentials = { kind: "identity-token", token: "old", origin: "the test" };
  const useToken = (answers: (request: SeenRequest) => Fault) => {
    registry.rule = (request) => {
      if (request.path === "/v2/") return { kind: "answer", status: 200 };
      if (isToken(request)) return answers(request);
      return request.headers.authorization === "Bearer t" ? TAGS : refused(bearer());
    };
  };
  const ended = () => token({ error: "invalid_grant", error_description: "it has expired" }, 400);

  test("does not keep public images away", async () => {
    useToken(({ method }) => (method === "POST" ? ended() : token({ token: "t" })));
    const warnings: string[] = [];
    await using client = new RegistryClient({
      clock: new HastyClock(),
      credentials: { find: () => Promise.resolve(stale) },
      onEvent: (event: RegistryEvent) => void (event.kind === "warning" && warnings.push(event.text)),
    });
    expect(await listTags(client)).toEqual(["a"]);
    expect(warnings).toEqual([
      `The credentials from the test were refused by ${registry.host}; going on without`,
    ]);
  });

  test("that came in its place and is refused is not the last word", async () => {
    const shown: (string | undefined)[] = [];
    await using server = await startTokenServer((form) => {
      shown.push(form.get("refresh_token") ?? undefined);
      return form.get("refresh_token") === "old"
        ? { access_token: `t${shown.length}`, refresh_token: "used up" }
        : undefined;
    });
    registry.rule = ({ path, headers }) => {
      if (path === "/v2/") return { kind: "answer", status: 200 };
      if (headers.authorization === "Bearer t3") return TAGS;
      return refused(`Bearer realm="${server.realm}",service="s"`);
    };
    await using client = new RegistryClient({
      clock: new HastyClock(),
      credentials: { find: () => Promise.resolve(stale) },
    });
    await expect(listTags(client)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(await listTags(client)).toEqual(["a"]);
    expect(shown).toEqual(["old", "used up", "old"]);
  });

  test("is an error that says to log in again where there is no other way", async () => {
    useToken(({ method }) => (method === "POST" ? ended() : token({}, 403)));
    await using client = new RegistryClient({
      clock: new HastyClock(),
      credentials: { find: () => Promise.resolve(stale) },
    });
    await expect(listTags(client)).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      hint: expect.stringContaining(`log in again: strake login ${registry.host}`),
    });
  });
});
