import { describe, expect, test } from "vitest";
import { classifyAddress } from "../../../src/registry/transport/net-address.ts";
import { decideRedirect, MAX_REDIRECTS } from "../../../src/registry/transport/redirect.ts";

test.each([
  ["localhost", "loopback"],
  ["localhost:5000", "loopback"],
  ["a.localhost", "loopback"],
  ["127.8.9.1:80", "loopback"],
  ["0.0.0.0", "loopback"],
  ["[::1]:5000", "loopback"],
  ["[0:0:0:0:0:0:0:1]", "loopback"],
  ["[::ffff:127.0.0.1]", "loopback"],
  ["169.254.169.254", "link-local"],
  ["[fe80::1]", "link-local"],
  ["10.0.0.1", "private"],
  ["172.16.0.1", "private"],
  ["172.32.0.1", "public"],
  ["192.168.1.1:443", "private"],
  ["100.64.0.1", "private"],
  ["[fd00::1]", "private"],
  ["[::ffff:10.0.0.1]", "private"],
  ["8.8.8.8", "public"],
  ["[2001:db8::1]", "public"],
  ["registry.example.com:5000", "public"],
  ["127.0.0.1.example.com", "public"],
])("classifyAddress(%s) is %s", (host, kind) => {
  expect(classifyAddress(host)).toBe(kind);
});

describe("decideRedirect()", () => {
  const decide = (
    from: string,
    location: string | undefined,
    more: { status?: number; method?: string; trail?: string[] } = {},
  ) => {
    const { status = 307, method = "GET", trail = [`${method} ${from}`] } = more;
    const decision = decideRedirect({ url: new URL(from), location, status, method, trail });
    return decision.kind === "follow"
      ? `${decision.method} ${decision.url.href}${decision.sameOrigin ? "" : " (other origin)"}`
      : decision.reason;
  };

  test.each<[string, string | undefined, string]>([
    ["https://r.example/v2/x", "/y?z=1", "GET https://r.example/y?z=1"],
    ["https://r.example/v2/x", "https://r.example:443/y", "GET https://r.example/y"],
    ["https://r.example/x", "https://cdn.example/y", "GET https://cdn.example/y (other origin)"],
    ["https://r.example/x", "https://r.example:8443/y", "GET https://r.example:8443/y (other origin)"],
    ["http://r.example/x", "https://r.example/x", "GET https://r.example/x (other origin)"],
    ["https://r.example/x", "http://r.example/y", "it leads from https to plain http"],
    ["https://r.example/x", "https://127.0.0.1/y", "it leads from a public host to a loopback address"],
    [
      "http://r.example/x",
      "http://169.254.169.254/latest",
      "it leads from a public host to a link-local address",
    ],
    ["http://10.0.0.1/x", "http://10.0.0.2/y", "GET http://10.0.0.2/y (other origin)"],
    ["http://127.0.0.1:5000/x", "http://localhost:6000/y", "GET http://localhost:6000/y (other origin)"],
    ["https://r.example/x", "ftp://r.example/y", "it leads to ftp: instead of https:"],
    ["https://r.example/x", "https://u:p@cdn.example/y", "it leads to a URL with a user name or password"],
    ["https://r.example/x", undefined, "the redirect names no location"],
    ["https://r.example/x", "https://[bad", "the redirect's location is no URL"],
    ["https://r.example/x", "https://r.example/x", "the redirects go round in circles"],
  ])("from %s to %s: %s", (from, location, expected) => {
    expect(decide(from, location)).toBe(expected);
  });

  test("303 turns everything but HEAD into GET; the others keep the method", () => {
    const at = (method: string, status: number) => decide("https://r.example/x", "/y", { method, status });
    expect(at("PUT", 303)).toBe("GET https://r.example/y");
    expect(at("HEAD", 303)).toBe("HEAD https://r.example/y");
    for (const status of [301, 302, 307, 308]) expect(at("PUT", status)).toBe("PUT https://r.example/y");
  });

  test("stops after a number of hops", () => {
    const trail = Array.from({ length: MAX_REDIRECTS + 1 }, (_, i) => `GET https://r.example/${i}`);
    expect(decide("https://r.example/10", "/11", { trail })).toContain("more than");
  });
});
