import { describe, expect, test } from "vitest";
import { createProxyRules, proxySettings } from "../../../src/registry/index.ts";

const PROXY = "http://proxy.example:3128";

describe("createProxyRules()", () => {
  test.each<[string, string, boolean]>([
    ["", "https://r.example/", true],
    ["", "http://r.example/", true],
    ["", "http://localhost:5000/", false],
    ["", "http://127.9.9.9/", false],
    ["", "http://[::1]:5000/", false],
    ["*", "https://r.example/", false],
    ["r.example", "https://r.example/", false],
    ["r.example", "https://a.r.example/", false],
    ["r.example", "https://ar.example/", true],
    [".r.example", "https://r.example/", true],
    [".r.example", "https://a.r.example/", false],
    ["*.r.example", "https://a.r.example/", false],
    ["R.Example", "https://r.EXAMPLE./", false],
    ["r.example:443", "https://r.example/", false],
    ["r.example:5000", "https://r.example/", true],
    ["r.example:5000", "https://r.example:5000/", false],
    ["10.0.0.0/8", "https://10.1.2.3/", false],
    ["10.0.0.0/8", "https://11.1.2.3/", true],
    ["10.0.0.0/99", "https://10.1.2.3/", true],
    ["10.1.2.3", "https://10.1.2.3:5000/", false],
    ["10.1.2.3:80", "https://10.1.2.3:5000/", true],
    ["fd00::/8", "https://[fd00::1]/", false],
    ["2001:db8::1", "https://[2001:db8:0::1]/", false],
    ["[2001:db8::1]:5000", "https://[2001:db8::1]:5000/", false],
    ["a.example, ,b.example", "https://b.example/", false],
  ])("NO_PROXY=%s: %s through the proxy: %s", (except, url, proxied) => {
    const choose = createProxyRules({ https: PROXY, http: PROXY, except });
    expect(choose(new URL(url)) !== undefined).toBe(proxied);
  });

  test("each protocol has its own proxy, and a proxy needs no scheme", () => {
    const choose = createProxyRules({ https: "secure.example:1", http: undefined });
    expect(choose(new URL("https://r.example/"))?.href).toBe("http://secure.example:1/");
    expect(choose(new URL("http://r.example/"))).toBeUndefined();
  });

  test.each(["ftp://x", "http://", "://", "http://[x"])("refuses %s without repeating it", (https) => {
    expect(() => createProxyRules({ https })).toThrow(
      "Cannot use the proxy that HTTPS_PROXY or ALL_PROXY names",
    );
  });
});

test("proxySettings() takes either case, the upper first", () => {
  expect(proxySettings({ HTTPS_PROXY: "a", https_proxy: "b", no_proxy: "x", ALL_PROXY: "c" })).toEqual({
    https: "a",
    http: "c",
    except: "x",
  });
  expect(proxySettings({ HTTPS_PROXY: "", https_proxy: "b", NO_PROXY: " ", no_proxy: "x" })).toMatchObject({
    https: "b",
    except: "x",
  });
  expect(proxySettings({ HTTP_PROXY: " " })).toEqual({
    https: undefined,
    http: undefined,
    except: undefined,
  });
});
