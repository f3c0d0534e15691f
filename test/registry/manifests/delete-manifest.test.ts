import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { digestOf, MEDIA_TYPES } from "../../../src/oci/index.ts";
import { RegistryClient } from "../../../src/registry/index.ts";
import { HastyClock } from "../../support/registry-clock.ts";
import { type FaultProxy, startProxy } from "../../support/registry-proxy.ts";

let registry: FaultProxy;
beforeAll(async () => {
  registry = await startProxy();
});
afterAll(async () => await registry[Symbol.asyncDispose]());
beforeEach(() => registry.reset());

const error = (code: string) => JSON.stringify({ errors: [{ code, message: "x" }] });

/** Answers DELETE of `/manifests/…` and of `/tags/reference/…`. */
async function remove(name: string, manifests: [number, string?], older: [number, string?] = [404]) {
  registry.rule = ({ method, path }) => {
    if (path === "/v2/") return { kind: "answer", status: 200 };
    if (method !== "DELETE") return undefined;
    const [status, body = ""] = path.includes("/tags/reference/") ? older : manifests;
    return { kind: "answer", status, body };
  };
  await using client = new RegistryClient();
  return await client.repository({ registry: registry.host, repository: "a" }).deleteManifest(name);
}

describe("deleteManifest()", () => {
  test.each([200, 202, 204])("a tag where the registry answers %i", async (status) => {
    expect(await remove("v1", [status])).toBe(true);
  });

  test("a tag the way GitLab has it", async () => {
    expect(await remove("v1", [404], [200])).toBe(true);
    expect(await remove("v1", [400, error("DIGEST_INVALID")], [202])).toBe(true);
  });

  test("what Google's registries delete only without tags loses its own tags first", async () => {
    const digest = digestOf("x");
    const tags: Record<string, string> = { one: digest, other: digestOf("y"), two: digest };
    registry.rule = ({ method, path }) => {
      if (path === "/v2/") return { kind: "answer", status: 200 };
      if (path.startsWith("/v2/a/tags/list"))
        return { kind: "answer", status: 200, body: JSON.stringify({ tags: Object.keys(tags) }) };
      const name = path.split("/").at(-1) ?? "";
      const named = tags[name];
      if (method === "HEAD" && named !== undefined) {
        const headers = {
          "docker-content-digest": named,
          "content-type": MEDIA_TYPES.ociManifest,
          "content-length": "5",
        };
        return { kind: "answer", status: 200, headers };
      }
      if (method !== "DELETE") return { kind: "answer", status: 404 };
      if (name === digest && Object.values(tags).includes(digest))
        return { kind: "answer", status: 400, body: error("GOOGLE_MANIFEST_DANGLING_TAG") };
      delete tags[name];
      return { kind: "answer", status: 202 };
    };
    await using client = new RegistryClient();
    const repository = client.repository({ registry: registry.host, repository: "a" });
    expect(await repository.deleteManifest(digest)).toBe(true);
    expect(Object.keys(tags)).toEqual(["other"]);
  });

  test("what is gone after a try without an answer has been deleted by it", async () => {
    let tries = 0;
    registry.rule = ({ method, path }) => {
      if (path === "/v2/") return { kind: "answer", status: 200 };
      if (method !== "DELETE") return { kind: "answer", status: 404 };
      return tries++ === 0 ? { kind: "answer", status: 502 } : { kind: "answer", status: 404 };
    };
    await using client = new RegistryClient({ clock: new HastyClock() });
    const repository = client.repository({ registry: registry.host, repository: "a" });
    expect(await repository.deleteManifest(digestOf("x"))).toBe(true);
    expect(tries).toBe(2);
  });

  test("what is not there is not deleted, and no error", async () => {
    expect(await remove("v1", [404, error("MANIFEST_UNKNOWN")])).toBe(false);
    expect(await remove(digestOf("x"), [404])).toBe(false);
  });

  test.each<[[number, string?]]>([[[404]], [[405]], [[400, error("DIGEST_INVALID")]]])(
    "a tag where only manifests can be deleted is refused: %j",
    async (answer) => {
      await expect(remove("v1", answer)).rejects.toMatchObject({
        code: "UNSUPPORTED",
        hint: expect.stringContaining("by its digest"),
      });
    },
  );

  test("where nothing can be deleted it says so", async () => {
    await expect(remove(digestOf("x"), [405, error("UNSUPPORTED")])).rejects.toMatchObject({
      code: "UNSUPPORTED",
      hint: "The registry does not allow deleting",
    });
  });
});
