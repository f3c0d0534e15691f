import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeErrorBody, describeErrors } from "../../src/registry/error-body.ts";
import { parseNextLink } from "../../src/registry/link.ts";
import { cleanText, redactUrl } from "../../src/registry/redact.ts";
import { parseContentRange, parseUploadRange } from "../../src/registry/transport/content-range.ts";
import { parseResponseHead } from "../../src/registry/transport/response-head.ts";
import { parseWarnings, WarningFilter } from "../../src/registry/warnings.ts";

describe("parseNextLink()", () => {
  test.each<[string[], string | undefined]>([
    [['</v2/a/tags/list?n=2&last=b>; rel="next"'], "/v2/a/tags/list?n=2&last=b"],
    [["<https://r/x>;rel=next"], "https://r/x"],
    [["<x>; REL=NEXT"], "x"],
    [['<x>; title="a, b; c"; rel="prev next"'], "x"],
    [['<a>; rel="prev", <b>; rel="next"'], "b"],
    [["<a>; rel=first", '<b>; rel="next"'], "b"],
    [['<a>; rel="nextish"'], undefined],
    [["<a>"], undefined],
    [["rel=next"], undefined],
    [[], undefined],
    [[`<${"x".repeat(5000)}>; rel="next"`], undefined],
  ])("%j: %s", (headers, expected) => {
    expect(parseNextLink(headers)).toBe(expected);
  });
  test("is not slowed down by hostile headers", () => {
    fc.assert(fc.property(fc.stringMatching(/^[<>;= "a,\\]{0,200}$/), (text) => void parseNextLink([text])));
    expect(parseNextLink([`<a>${"; x".repeat(1300)}`])).toBeUndefined();
    expect(parseNextLink(["<".repeat(4000)])).toBeUndefined();
  });
});

describe("parseContentRange()", () => {
  test.each<[string | undefined, object | undefined]>([
    ["bytes 5-9/10", { first: 5, last: 9, total: 10 }],
    ["bytes 0-0/*", { first: 0, last: 0 }],
    ["BYTES 1-2/3", { first: 1, last: 2, total: 3 }],
    ["bytes 9-5/10", undefined],
    ["bytes 0-10/10", undefined],
    ["bytes */10", undefined],
    ["items 0-1/2", undefined],
    ["bytes 0-99999999999999999999/*", undefined],
    [undefined, undefined],
  ])("%j", (text, expected) => {
    expect(parseContentRange(text)).toEqual(expected);
  });
});

test("parseUploadRange() gives the last byte that a session has", () => {
  expect(parseUploadRange("0-9")).toBe(9);
  expect(parseUploadRange("bytes=0-9")).toBe(9);
  expect(parseUploadRange("0-0")).toBe(0);
  for (const bad of [undefined, "", "5-9", "0--1", "x"]) expect(parseUploadRange(bad)).toBeUndefined();
});

describe("decodeErrorBody()", () => {
  test.each<[string, string]>([
    [
      '{"errors":[{"code":"DENIED","message":"no","detail":{}},{"code":"UNKNOWN","message":"x"}]}',
      "DENIED: no; UNKNOWN: x",
    ],
    ['{"errors":[{"code":"name_unknown","detail":{"name":"a"}}]}', 'NAME_UNKNOWN: {"name":"a"}'],
    ['{"errors":{"code":"DENIED","message":"no"}}', "DENIED: no"],
    ['{"errors":["plain"]}', "plain"],
    ['{"details":"incorrect username or password"}', "incorrect username or password"],
    ['{"message":"rate limit"}', "rate limit"],
    ['{"error":"invalid_grant","error_description":"expired"}', "INVALID_GRANT: expired"],
    ["404 page not found\n", "404 page not found"],
    ["<html><head><title>Bad\u001b[31m Gateway</title><style>x</style></head>", "Bad [31m Gateway"],
    ["", ""],
    ["[]", ""],
    ["null", "null"],
  ])("%j", (body, expected) => {
    expect(describeErrors(decodeErrorBody(Buffer.from(body)))).toBe(expected);
  });
  test("throws for nothing", () => {
    fc.assert(fc.property(fc.json(), (body) => void decodeErrorBody(Buffer.from(body))));
  });
});

test("parseWarnings() reads 299 only, each text once", () => {
  expect(parseWarnings(['299 - "use \\"this\\""', '199 - "old"', "299 - unquoted", '299 - ""'])).toEqual([
    'use "this"',
  ]);
  expect(
    parseWarnings(['199 r "old", 299 - "one, two" "Sun, 06 Nov 1994 08:49:37 GMT", 299 - "three"']),
  ).toEqual(["one, two", "three"]);
  expect(parseWarnings(['299 - "', '299 - "says 299 - \\"x\\" twice"'])).toEqual(['says 299 - "x" twice']);
  const filter = new WarningFilter();
  expect([filter.isNew("a"), filter.isNew("a"), filter.isNew("b")]).toEqual([true, false, true]);
});

test("redactUrl() leaves nothing that may be secret", () => {
  expect(redactUrl("https://u:p@h.example/x?X-Amz-Signature=abc#f")).toBe("https://h.example/x");
  expect(redactUrl("not a url?secret")).toBe("not a url");
});

test("cleanText() is one printable, bounded line", () => {
  expect(cleanText("a\n\u001b[1mb\u2028c  ")).toBe("a [1mb c");
  expect(cleanText("x".repeat(400))).toHaveLength(301);
});

describe("parseResponseHead()", () => {
  const parse = (text: string) => parseResponseHead(text.replaceAll("\n", "\r\n"));
  test("reads status, headers and how the body ends", () => {
    const head = parse("HTTP/1.1 206 Partial Content\nContent-Length: 5\nX: a\nx:  b \nEmpty:");
    expect(head).toMatchObject({ status: 206, framing: { kind: "length", bytes: 5 }, keepAlive: true });
    expect(head?.headers.all("x")).toEqual(["a", "b"]);
    expect(head?.headers.one("empty")).toBe("");
  });
  const length = (bytes: number) => ({ kind: "length", bytes });
  test.each<[string, object, boolean]>([
    ["HTTP/1.1 200 OK", { kind: "until-close" }, false],
    ["HTTP/1.1 200 OK\nTransfer-Encoding: Chunked", { kind: "chunked" }, true],
    ["HTTP/1.0 200 OK\nContent-Length: 5", length(5), false],
    ["HTTP/1.1 200\nContent-Length: 5\nContent-Length: 5\nConnection: Close", length(5), false],
    ["HTTP/1.1 204 No Content", length(0), true],
    ["HTTP/1.1 304 Not Modified\nContent-Length: 99", length(0), true],
  ])("%j", (text, framing, keepAlive) => {
    expect(parse(text)).toMatchObject({ framing, keepAlive });
  });
  test.each([
    "HTTP/2 200 OK",
    "SSH-2.0-x",
    "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6",
    "HTTP/1.1 200 OK\nContent-Length: -1",
    "HTTP/1.1 200 OK\nContent-Length: 0x5",
    "HTTP/1.1 200 OK\nX: a\n folded",
    "HTTP/1.1 200 OK\nBad Name: x",
    "HTTP/1.1 99 No",
    "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 5",
    "HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked",
  ])("refuses %j", (text) => {
    expect(parse(text)).toBeUndefined();
  });
});
