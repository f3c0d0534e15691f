import { describe, expect, it } from "vitest";
import {
  lsRemoteArguments,
  missingRef,
  pickRef,
  resolveWithoutAsking,
} from "../../../../src/builder/sources/git/resolve-ref.ts";

const remote = "https://x/a.git";
const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(40)) as [string, string, string];
const listing = [
  `${A}\trefs/heads/v1`,
  `${B}\trefs/tags/v1`,
  `${C}\trefs/tags/v1^{}`,
  `${B}\trefs/pull/1/head`,
].join("\n");

describe("pickRef()", () => {
  it("prefers a branch to a tag", () => {
    expect(pickRef({ remote, ref: "v1" }, listing)).toEqual({ ref: "refs/heads/v1", object: A, commit: A });
  });

  it("looks through an annotated tag at its commit", () => {
    expect(pickRef({ remote, ref: "refs/tags/v1" }, listing)).toEqual({
      ref: "refs/tags/v1",
      object: B,
      commit: C,
    });
    expect(pickRef({ remote, ref: "tags/v1" }, listing)).toEqual({
      ref: "refs/tags/v1",
      object: B,
      commit: C,
    });
  });

  it("takes any full reference", () => {
    expect(pickRef({ remote, ref: "refs/pull/1/head" }, listing).object).toBe(B);
  });

  it("does not take a reference that only ends like the one wanted", () => {
    expect(() => pickRef({ remote, ref: "v1" }, `${A}\trefs/heads/other/v1`)).toThrow(
      "does not contain ref v1",
    );
  });

  it("finds the default branch, also where HEAD is none", () => {
    expect(pickRef({ remote }, `ref: refs/heads/main\tHEAD\n${A}\tHEAD`)).toEqual({
      ref: "refs/heads/main",
      object: A,
      commit: A,
    });
    expect(pickRef({ remote }, `${A}\tHEAD`)).toEqual({ object: A, commit: A });
    expect(() => pickRef({ remote }, "")).toThrow("could not find default branch");
  });

  it("compares the checksum with the tag and its commit", () => {
    const source = { remote, ref: "refs/tags/v1" };
    expect(pickRef({ ...source, checksum: "bbbb" }, listing).object).toBe(B);
    expect(pickRef({ ...source, checksum: C.toUpperCase() }, listing).commit).toBe(C);
    expect(() => pickRef({ ...source, checksum: A }, listing)).toThrow(
      `expected checksum to match ${A}, got ${B} or ${C}`,
    );
  });
});

describe("resolveWithoutAsking()", () => {
  it("knows what a commit is, and nothing else", () => {
    expect(resolveWithoutAsking({ remote, ref: A })).toEqual({ object: A, commit: A });
    expect(resolveWithoutAsking({ remote, ref: A.slice(1) })).toBeUndefined();
    expect(resolveWithoutAsking({ remote })).toBeUndefined();
  });

  it("believes a checksum where it is told to", () => {
    const source = { remote, ref: "main", checksum: A, fetchByCommit: true };
    expect(resolveWithoutAsking(source)).toEqual({ ref: "refs/heads/main", object: A, commit: A });
    expect(() => resolveWithoutAsking({ ...source, checksum: "aa" })).toThrow("requires a full commit SHA");
    expect(() => resolveWithoutAsking({ remote, fetchByCommit: true })).toThrow("requires a checksum");
  });

  it("refuses a checksum that is none, or not the commit's", () => {
    expect(() => resolveWithoutAsking({ remote, checksum: "sha256:xx" })).toThrow(
      "invalid checksum sha256:xx",
    );
    expect(() => resolveWithoutAsking({ remote, ref: A, checksum: B })).toThrow("expected checksum to match");
  });
});

it("missingRef() tells the nearest name, or that an ID is too short", () => {
  const all = [`${A}\tHEAD`, `${A}\trefs/heads/main`, `${B}\trefs/tags/v1.2`].join("\n");
  expect(missingRef({ remote, ref: "mian" }, [all]).hint).toBe('Did you mean "main"?');
  expect(missingRef({ remote, ref: "abcdef0" }, [all]).hint).toContain("40 digits");
  expect(missingRef({ remote, ref: "zzzzzz" }, [all]).hint).toBe("It has main, v1.2");
});

it("lsRemoteArguments() lets no reference become an option", () => {
  expect(lsRemoteArguments(remote, "--x").indexOf("--")).toBeLessThan(
    lsRemoteArguments(remote, "--x").indexOf("--x"),
  );
});
