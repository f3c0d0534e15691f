import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseChallenges } from "../../../src/registry/auth/challenge.ts";
import { chooseChallenge } from "../../../src/registry/auth/choose-challenge.ts";

const show = (headers: readonly string[]): string[] =>
  parseChallenges(headers).map(
    ({ scheme, params }) => `${scheme} ${JSON.stringify(Object.fromEntries(params))}`,
  );

describe("parseChallenges()", () => {
  test.each<[string, string[], string[]]>([
    ["a plain one", ['Basic realm="x"'], ['basic {"realm":"x"}']],
    [
      "commas inside quotes",
      ['Bearer realm="https://a/token",service="s",scope="repository:a:pull,push"'],
      ['bearer {"realm":"https://a/token","service":"s","scope":"repository:a:pull,push"}'],
    ],
    ["escaped quotes", ['Basic realm="My \\"Realm\\""'], ['basic {"realm":"My \\"Realm\\""}']],
    ["two headers", ["Negotiate", 'Basic realm="x"'], ["negotiate {}", 'basic {"realm":"x"}']],
    [
      "several in one",
      ['Negotiate abc==, Basic realm="x", Bearer realm="y",service=z'],
      ["negotiate {}", 'basic {"realm":"x"}', 'bearer {"realm":"y","service":"z"}'],
    ],
    ["any case", ['BEARER Realm="x"'], ['bearer {"realm":"x"}']],
    ["spaces around =", ['Bearer realm = "x" , service= y'], ['bearer {"realm":"x","service":"y"}']],
    [
      "no quotes",
      ["Bearer realm=https://a/t?x=1,service=s"],
      ['bearer {"realm":"https://a/t?x=1","service":"s"}'],
    ],
    [
      "an unquoted list of actions",
      ["Bearer realm=r,scope=repository:a:pull,push,error=e"],
      ['bearer {"realm":"r","scope":"repository:a:pull,push","error":"e"}'],
    ],
    ["equal names: the first", ['Basic realm="a",realm="b"'], ['basic {"realm":"a"}']],
    ["an open quote", ['Basic realm="abc'], ['basic {"realm":"abc"}']],
    ["empty elements", [', ,Basic realm="x",,'], ['basic {"realm":"x"}']],
    ["garbage", ['"" @@ =,'], []],
    ["nothing", [""], []],
    ["too much", [`Basic realm="${"x".repeat(20_000)}"`], []],
  ])("reads %s", (_name, headers, expected) => {
    expect(show(headers)).toEqual(expected);
  });

  test("reads back what a careful server writes", () => {
    const value = fc.string({ unit: "grapheme-ascii", maxLength: 30 });
    fc.assert(
      fc.property(value, value, (realm, service) => {
        const quote = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;
        const [challenge] = parseChallenges([`Bearer realm=${quote(realm)}, service=${quote(service)}`]);
        expect(Object.fromEntries(challenge?.params ?? [])).toEqual({ realm, service });
      }),
    );
  });

  test("throws for nothing", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => void parseChallenges([text])));
  });
});

describe("chooseChallenge()", () => {
  const choose = (header: string, url = "https://registry.example.com/", insecure = false) =>
    chooseChallenge(parseChallenges([header]), { url: new URL(url), insecure });

  test("takes Bearer before Basic", () => {
    expect(choose('Basic realm="x", Bearer realm="https://auth.example.com/t",service="s"')).toMatchObject({
      kind: "usable",
      scheme: { kind: "bearer", realm: new URL("https://auth.example.com/t"), service: "s" },
    });
  });

  test.each([
    ["http://auth.example.com/t", "plain http"],
    ["https://127.0.0.1/t", "loopback address"],
    ["https://10.1.2.3/t", "private address"],
    ["https://169.254.169.254/t", "link-local address"],
    ["https://[::1]/t", "loopback address"],
    ["https://user:pw@auth.example.com/t", "user name"],
    ["null://auth", "no http(s) URL"],
    ["/token", "no http(s) URL"],
    ["file:///etc/passwd", "no http(s) URL"],
  ])("refuses the realm %s", (realm, reason) => {
    expect(choose(`Bearer realm="${realm}"`)).toMatchObject({
      kind: "unusable",
      reason: expect.stringContaining(reason),
    });
  });

  test("lets a registry on plain http name a realm on plain http", () => {
    expect(choose('Bearer realm="http://localhost:5001/t"', "http://localhost:5000/").kind).toBe("usable");
    expect(
      choose('Bearer realm="http://auth.example.com/t"', "https://registry.example.com/", true).kind,
    ).toBe("usable");
  });

  test("falls back to Basic where the realm is not safe", () => {
    expect(choose('Bearer realm="null://x", Basic realm="x"')).toMatchObject({ scheme: { kind: "basic" } });
  });

  test("names what it does not know", () => {
    expect(choose("Negotiate, NTLM")).toMatchObject({ reason: expect.stringContaining("negotiate, ntlm") });
    expect(choose("")).toMatchObject({ kind: "unusable" });
  });
});
