import { describe, expect, test } from "vitest";
import {
  coversScopes,
  formatScope,
  isReadOnly,
  mergeScopes,
  parseScope,
  parseScopes,
  repositoryScope,
} from "../../../src/registry/auth/scope.ts";

test("parseScope() ends the type at the first colon and starts the actions after the last", () => {
  expect(parseScope("repository:host:5000/a/b:pull,push")).toEqual({
    type: "repository",
    name: "host:5000/a/b",
    actions: ["pull", "push"],
  });
  expect(parseScope("registry:catalog:*")).toEqual({ type: "registry", name: "catalog", actions: ["*"] });
  for (const bad of ["", "repository", "repository:a", ":a:b"]) expect(parseScope(bad)).toBeUndefined();
});

test("formatScope() has one order, whatever the registry's", () => {
  expect(formatScope(repositoryScope("a/b", "push", "pull", "push"))).toBe("repository:a/b:pull,push");
  expect(formatScope(repositoryScope("a", "delete", "metadata_read", "pull"))).toBe(
    "repository:a:pull,delete,metadata_read",
  );
});

describe("mergeScopes()", () => {
  test("joins actions, keeps the first resource first, lets * swallow the rest", () => {
    const merged = mergeScopes([
      repositoryScope("b", "pull"),
      repositoryScope("a", "pull"),
      repositoryScope("b", "push"),
      repositoryScope("a", "*"),
    ]);
    expect(merged.map(formatScope)).toEqual(["repository:b:pull,push", "repository:a:*"]);
  });
});

test("coversScopes() wants every action on every resource", () => {
  const granted = parseScopes("repository:a:pull,push repository:b:*");
  expect(coversScopes(granted, [repositoryScope("a", "pull")])).toBe(true);
  expect(coversScopes(granted, [repositoryScope("b", "delete")])).toBe(true);
  expect(coversScopes(granted, [repositoryScope("a", "pull", "delete")])).toBe(false);
  expect(coversScopes(granted, [repositoryScope("c", "pull")])).toBe(false);
  expect(coversScopes([], [])).toBe(true);
});

test("isReadOnly() knows pulls from everything else", () => {
  expect(isReadOnly([repositoryScope("a", "pull")])).toBe(true);
  expect(isReadOnly([repositoryScope("a", "pull"), repositoryScope("b", "push")])).toBe(false);
  expect(isReadOnly(parseScopes("registry:catalog:*"))).toBe(false);
});
