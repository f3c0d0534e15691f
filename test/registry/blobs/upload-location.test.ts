import { describe, expect, test } from "vitest";
import { chooseMountCandidates } from "../../../src/registry/blobs/mount-candidates.ts";
import { finishUrl, resolveUploadLocation } from "../../../src/registry/blobs/upload-location.ts";

describe("resolveUploadLocation()", () => {
  const at = "https://r.example/v2/a/blobs/uploads/";
  const resolve = (location: string | undefined, answeredBy = at) => {
    const found = resolveUploadLocation(location, new URL(answeredBy));
    return found instanceof URL ? found.href : found.fault;
  };
  test.each<[string | undefined, string]>([
    [
      "https://r.example/v2/a/blobs/uploads/1?_state=A%2Bb",
      "https://r.example/v2/a/blobs/uploads/1?_state=A%2Bb",
    ],
    ["/v2/a/blobs/uploads/1", "https://r.example/v2/a/blobs/uploads/1"],
    ["1?x=y", "https://r.example/v2/a/blobs/uploads/1?x=y"],
    ["r.example/v2/a/blobs/uploads/1", "https://r.example/v2/a/blobs/uploads/1"],
    ["https://r.example:443/u", "https://r.example/u"],
    ["http://r.example/u", "https://r.example/u"],
    ["https://storage.example/u?sig=1", "https://storage.example/u?sig=1"],
    [
      "http://storage.example/u",
      "the upload's location is not safe to use: it leads from https to plain http",
    ],
    [
      "https://127.0.0.1/u",
      "the upload's location is not safe to use: it leads from a public host to a loopback address",
    ],
    ["", "it named no location for the upload"],
    [undefined, "it named no location for the upload"],
    ["https://[", "the upload's location is no URL"],
  ])("%s", (location, expected) => {
    expect(resolve(location)).toBe(expected);
  });
  test("keeps the port that a TLS-terminating proxy listens on", () => {
    expect(resolve("http://r.example/u", "https://r.example:8443/v2/")).toBe("https://r.example:8443/u");
    expect(resolve("http://127.0.0.1:5000/u", "http://127.0.0.1:5000/v2/")).toBe("http://127.0.0.1:5000/u");
  });
});

test("finishUrl() appends the digest and leaves the rest of the query as it was", () => {
  const url = finishUrl(new URL("https://r.example/u?_state=a%2Bb==&x=~y"), "sha256:abc");
  expect(url.href).toBe("https://r.example/u?_state=a%2Bb==&x=~y&digest=sha256%3Aabc");
  expect(finishUrl(new URL("https://r.example/u"), "sha256:abc").search).toBe("?digest=sha256%3Aabc");
});

describe("chooseMountCandidates()", () => {
  const target = { registry: "r.example", repository: "team/app/api" };
  test("ranks by shared path, drops other registries and the target itself", () => {
    const known = [
      "r.example/other/x",
      "r.example/team/base",
      "s.example/team/app/web",
      "r.example/team/app/web",
      "r.example/team/app/api",
    ];
    expect(chooseMountCandidates(known, { ...target, size: 100 * 1024 * 1024 })).toEqual([
      "team/app/web",
      "team/base",
      "other/x",
    ]);
  });
  test("tries more for larger blobs", () => {
    const known = ["a", "b", "c", "d", "e", "a"].map((name) => `r.example/${name}`);
    const count = (size: number) => chooseMountCandidates(known, { ...target, size }).length;
    expect([count(10), count(2 * 1024 * 1024), count(100 * 1024 * 1024)]).toEqual([1, 2, 4]);
  });
});
