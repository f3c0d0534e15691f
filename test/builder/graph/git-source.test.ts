import { describe, expect, it, test } from "vitest";
import { type GitSource, parseBoolean, parseGitSource } from "../../../src/builder/graph/git-source.ts";
import { redactCredentials } from "../../../src/builder/redact-url.ts";

describe("parseGitSource() reads", () => {
  const cases: readonly (readonly [string, GitSource])[] = [
    ["https://example.com/foo.git", { remote: "https://example.com/foo.git" }],
    ["https://example.com/foo.git#deadbeef", { remote: "https://example.com/foo.git", ref: "deadbeef" }],
    [
      "https://example.com/foo.git#release/1.2",
      { remote: "https://example.com/foo.git", ref: "release/1.2" },
    ],
    ["HTTPS://example.com/foo.git", { remote: "https://example.com/foo.git" }],
    ["git://example.com/foo", { remote: "git://example.com/foo" }],
    ["ssh://git@example.com:2222/foo", { remote: "ssh://git@example.com:2222/foo" }],
    ["git@github.com:moby/buildkit", { remote: "git@github.com:moby/buildkit" }],
    ["me_2@a-b.example:x.git#v1:sub", { remote: "me_2@a-b.example:x.git", ref: "v1", subdir: "sub" }],
    ["https://me:secret@example.com/foo.git", { remote: "https://me:secret@example.com/foo.git" }],
    ["https://x/a.git#b/c:d/e", { remote: "https://x/a.git", ref: "b/c", subdir: "d/e" }],
    ["https://x/a.git#:d", { remote: "https://x/a.git", subdir: "d" }],
    ["https://x/a.git#main:../../etc", { remote: "https://x/a.git", ref: "main", subdir: "etc" }],
    ["https://x/a.git#a%20b", { remote: "https://x/a.git", ref: "a b" }],
    ["https://x/a.git?ref=v1&subdir=/d", { remote: "https://x/a.git", ref: "v1", subdir: "d" }],
    ["https://x/a.git?subdir=/d#v1", { remote: "https://x/a.git", ref: "v1", subdir: "d" }],
    ["https://x/a.git?tag=v1", { remote: "https://x/a.git", ref: "refs/tags/v1" }],
    ["https://x/a.git?branch=v1", { remote: "https://x/a.git", ref: "refs/heads/v1" }],
    ["https://x/a.git?commit=abc", { remote: "https://x/a.git", checksum: "abc" }],
    ["https://x/a.git?keep-git-dir=1", { remote: "https://x/a.git", keepGitDir: true }],
    ["https://x/a.git?keep-git-dir", { remote: "https://x/a.git", keepGitDir: true }],
    ["https://x/a.git?submodules=false", { remote: "https://x/a.git", submodules: false }],
    ["https://x/a.git?mtime=checkout", { remote: "https://x/a.git", mtime: "checkout" }],
    [
      "https://x/a.git?fetch-by-commit&checksum=deadbeef",
      { remote: "https://x/a.git", fetchByCommit: true, checksum: "deadbeef" },
    ],
    ["git@x:a.git?subdir=d#v1", { remote: "git@x:a.git", ref: "v1", subdir: "d" }],
  ];
  it.each(cases)("%s", (text, expected) => {
    expect(parseGitSource(text)).toEqual(expected);
  });

  it("GitHub's short form, for contexts only", () => {
    const expected = { remote: "https://github.com/moby/buildkit", ref: "refs/tags/v1" };
    expect(parseGitSource("github.com/moby/buildkit?tag=v1", { allowShorthand: true })).toEqual(expected);
    expect(parseGitSource("github.com/moby/buildkit")).toBeUndefined();
  });
});

test.each([
  "https://example.com/",
  "https://example.com/foo",
  "https://example.com/foo.git/",
  "https://example.com/foo.git.bar",
  "http://github.com/docker/docker.git:#branch",
  "custom.xyz/moby/buildkit.git",
  "./.git",
  ".git",
  "../a@b:c",
  "/a@b:c",
  "ext::sh -c touch",
  "ext://x/a.git",
  "file:///x/a.git",
  "a.txt",
  "https://x/a\n.git",
])("parseGitSource() takes %j for no repository", (text) => {
  expect(parseGitSource(text)).toBeUndefined();
});

test.each([
  ["?ref=a#b", 'ref conflicts: "b" vs "a"'],
  ["?ref=a&tag=b", 'ref conflicts: "a" vs "refs/tags/b"'],
  ["?tag=a&branch=a", "branch conflicts with tag"],
  ["?subdir=a#:b", 'subdir conflicts: "b" vs "a"'],
  ["?mtime=x", 'invalid mtime value: "x" (must be "checkout" or "commit")'],
  ["?submodules=x", 'invalid submodules value: "x"'],
  ["?other=1", 'unexpected query "other"'],
  ["?ref=", 'query "ref" has no value'],
  ["?ref=a&ref=a", 'query "ref" has multiple values'],
  ["#-x", 'invalid git ref "-x"'],
  ["?ref=--upload-pack=x", 'invalid git ref "--upload-pack=x"'],
])("parseGitSource() refuses https://x/a.git%s", (rest, message) => {
  expect(() => parseGitSource(`https://x/a.git${rest}`)).toThrow(message);
});

test("parseBoolean() reads what Go's programs do", () => {
  expect(["1", "t", "True", "TRUE"].map(parseBoolean)).toEqual([true, true, true, true]);
  expect(["0", "f", "False"].map(parseBoolean)).toEqual([false, false, false]);
  expect(["", "yes", "tRUE"].map(parseBoolean)).toEqual([undefined, undefined, undefined]);
});

test.each([
  ["ADD https://me:secret@host/x.git /", "ADD https://xxxxx@host/x.git /"],
  ["https://token@host/x", "https://xxxxx@host/x"],
  ["ssh://git@host/x", "ssh://git@host/x"],
  ["ssh://git:pw@host/x", "ssh://git:xxxxx@host/x"],
  ["mail a@b and https://host/a@b", "mail a@b and https://host/a@b"],
])("redactCredentials(%j)", (text, expected) => {
  expect(redactCredentials(text)).toBe(expected);
});
