import { expect, test } from "vitest";
import { findNamedContext } from "../../../src/builder/graph/named-context.ts";
import type { ContextSource } from "../../../src/builder/types.ts";

const AMD64 = { os: "linux", architecture: "amd64" } as const;
const ARM64 = { os: "linux", architecture: "arm64" } as const;
const ARM_V7 = { os: "linux", architecture: "arm", variant: "v7" } as const;
const DIGEST = `sha256:${"1".repeat(64)}`;

/** Contexts whose folders are called like their names. */
const given = (...names: readonly string[]): Readonly<Record<string, ContextSource>> =>
  Object.fromEntries(names.map((name) => [name, { kind: "dir", path: name }]));

const find = (
  names: readonly string[],
  name: string,
  platform: typeof AMD64 | typeof ARM64 | typeof ARM_V7,
) => (findNamedContext(given(...names), name, platform) as { readonly path: string } | undefined)?.path;

test.each([
  ["busybox", "busybox", true],
  ["busybox", "busybox:latest", true],
  ["busybox:latest", "docker.io/library/busybox", true],
  ["docker.io/library/busybox:1", "busybox:1", true],
  ["busybox", "busybox:1", false],
  ["busybox:1", "busybox", false],
  [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`, true],
  [`busybox:1@${DIGEST}`, `busybox@${DIGEST}`, false],
  [`busybox:1`, `busybox:1@${DIGEST}`, false],
  ["scratch", "scratch", false],
  ["context", "context", false],
])("a context %s is one for %s: %s, as in BuildKit", (context, name, isFound) => {
  expect(find([context], name, AMD64)).toBe(isFound ? context : undefined);
});

test("a context for the platform comes before the one for all, in any order", () => {
  for (const names of [
    ["base", "base::linux/arm64", "base::linux/arm/v7"],
    ["base::linux/arm64", "base::linux/arm/v7", "base"],
  ]) {
    expect(find(names, "base", AMD64)).toBe("base");
    expect(find(names, "base:latest", ARM64)).toBe("base::linux/arm64");
    expect(find(names, "base", ARM_V7)).toBe("base::linux/arm/v7");
  }
  expect(find(["base::linux/arm64/v8"], "base", ARM64)).toBe("base::linux/arm64/v8");
  expect(find(["base::linux/arm64"], "base", AMD64)).toBeUndefined();
});
