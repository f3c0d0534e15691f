import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RegistryClient, type RegistryEvent } from "../../../src/registry/index.ts";
import { HastyClock } from "../../support/registry-clock.ts";
import { type FaultProxy, type SeenRequest, startProxy } from "../../support/registry-proxy.ts";

let registry: FaultProxy;
let events: RegistryEvent[];
beforeAll(async () => {
  registry = await startProxy();
});
afterAll(async () => await registry[Symbol.asyncDispose]());
beforeEach(() => {
  registry.reset();
  events = [];
});

const PATH = "/v2/a/b/tags/list";

/** Answers pages by the path asked for. */
function answer(
  pages: (
    path: string,
    request: SeenRequest,
  ) => { body?: unknown; link?: string; status?: number } | undefined,
): void {
  registry.rule = (request) => {
    const page = request.path === "/v2/" ? {} : pages(request.path, request);
    if (page === undefined) return { kind: "answer", status: 404 };
    const { status = 200, body = {}, link } = page;
    const headers = { "content-type": "application/json", ...(link === undefined ? {} : { link }) };
    return { kind: "answer", status, headers, body: typeof body === "string" ? body : JSON.stringify(body) };
  };
}

async function tags(): Promise<string[]> {
  await using client = new RegistryClient({
    clock: new HastyClock(),
    onEvent: (event) => events.push(event),
  });
  const found: string[] = [];
  for await (const page of client.repository({ registry: registry.host, repository: "a/b" }).listTags())
    found.push(...page);
  return found;
}

const asked = () => registry.seen.map(({ path }) => path).filter((path) => path !== "/v2/");

describe("listTags()", () => {
  test.each<[string, (origin: string) => string]>([
    ["a path", () => `<${PATH}?last=b&n=2>; rel="next"`],
    ["a whole URL", (origin) => `<http://${origin}${PATH}?last=b&n=2>; rel="next"`],
    ["only a query", () => '<?last=b&n=2>; rel="next"'],
    ["no quotes", () => `<${PATH}?last=b&n=2>;rel=next`],
    ["another host, which gets nothing", () => `<http://elsewhere.example${PATH}?last=b&n=2>; rel="next"`],
  ])("follows a link that is %s", async (_name, link) => {
    answer((path) =>
      path.includes("last=b")
        ? { body: { tags: ["c"] } }
        : { body: { tags: ["a", "b"] }, link: link(registry.host) },
    );
    expect(await tags()).toEqual(["a", "b", "c"]);
    expect(asked()).toEqual([`${PATH}?n=1000`, `${PATH}?last=b&n=2`]);
  });

  test("follows the query of a link whose path is not known here", async () => {
    answer((path) => {
      if (!path.startsWith(PATH)) return undefined;
      return path.includes("last=b")
        ? { body: { tags: ["c"] } }
        : { body: { tags: ["b"] }, link: "</repository/x/v2/a/b/tags/list?last=b>; rel=next" };
    });
    expect(await tags()).toEqual(["b", "c"]);
  });

  test("asks without a page size where that is refused", async () => {
    answer((path) => (path.includes("n=") ? { status: 400 } : { body: { tags: ["a"] } }));
    expect(await tags()).toEqual(["a"]);
  });

  test.each<[string, string]>([
    ["the same page again", `<${PATH}?n=1000>; rel="next"`],
    ["ever new pages of the same", `<${PATH}?last=x>; rel="next"`],
  ])("ends with a warning at %s", async (_name, link) => {
    answer(() => ({ body: { tags: ["a"] }, link }));
    expect(await tags()).toEqual(["a"]);
    expect(events.filter(({ kind }) => kind === "warning")).toHaveLength(1);
    expect(asked().length).toBeLessThan(4);
  });

  test.each<[string, unknown, string[]]>([
    ["null", { name: "a/b", tags: null }, []],
    ["none", { name: "a/b" }, []],
    [
      "nulls, empty ones, digests and doubles",
      { tags: ["a", null, "", "a", `sha256:${"0".repeat(64)}`, 5, "sha256__0123", "b"] },
      ["a", "b"],
    ],
  ])("takes %s", async (_name, body, expected) => {
    answer(() => ({ body }));
    expect(await tags()).toEqual(expected);
  });

  test.each<[string, unknown, string]>([
    ["a page for people", "<html>", "no JSON"],
    ["tags that are no list", { tags: "a" }, '"tags" that is no list'],
  ])("refuses %s", async (_name, body, fault) => {
    answer(() => ({ body }));
    await expect(tags()).rejects.toMatchObject({
      code: "BAD_RESPONSE",
      message: expect.stringContaining(fault),
    });
  });

  test("tells a repository that is not there", async () => {
    answer(() => ({
      status: 404,
      body: { errors: [{ code: "NAME_UNKNOWN", message: "repository name not known" }] },
    }));
    await expect(tags()).rejects.toMatchObject({
      code: "NOT_FOUND",
      hint: "The repository does not exist, or is visible only to those logged in",
    });
  });
});

test.each([401, 403, 404, 405])(
  "listRepositories() says that a registry tells nobody: %i",
  async (status) => {
    answer((path) => (path.startsWith("/v2/_catalog") ? { status } : {}));
    await using client = new RegistryClient();
    const read = async () => {
      for await (const _page of client.listRepositories(registry.host));
    };
    await expect(read()).rejects.toMatchObject({ code: "UNSUPPORTED" });
  },
);
