import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatFamiliarReference,
  formatReference,
  OciError,
  parseAnyReference,
  parseReference,
  type Reference,
  withDefaultTag,
  withoutShadowedTag,
} from "../../src/oci/index.ts";

const HEX = "0123456789abcdef".repeat(4);

describe("parseReference()", () => {
  test.each<[string, string, string]>([
    ["busybox", "docker.io/library/busybox", "busybox"],
    ["index.docker.io/busybox:1", "docker.io/library/busybox:1", "busybox:1"],
    ["user/app", "docker.io/user/app", "user/app"],
    ["localhost/app", "localhost/app", "localhost/app"],
    ["localhost:5000/a/b:c", "localhost:5000/a/b:c", "localhost:5000/a/b:c"],
    ["Example/img", "Example/img", "Example/img"],
    ["[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a"],
    [`a@sha256:${HEX}`, `docker.io/library/a@sha256:${HEX}`, `a@sha256:${HEX}`],
    ["library/a/b", "docker.io/library/a/b", "library/a/b"],
  ])("reads %s", (input, full, familiar) => {
    const reference = parseReference(input);
    expect(formatReference(reference)).toBe(full);
    expect(formatFamiliarReference(reference)).toBe(familiar);
  });

  test.each<[string, string]>([
    ["Busybox", "repository name (library/Busybox) must be lowercase"],
    ["a/b/", "invalid reference format"],
    [HEX, "cannot specify 64-byte hexadecimal strings"],
    [`a@sha256:${HEX.slice(1)}`, "invalid checksum digest length"],
    [`a@sha256:${HEX.toUpperCase()}`, "invalid checksum digest format"],
    [`a@sha1:${HEX.slice(0, 40)}`, "unsupported digest algorithm"],
    ["a".repeat(248), "must not be more than 255 characters"],
    ["a\n", "invalid reference format"],
  ])("rejects %j", (input, fault) => {
    expect(() => parseReference(input)).toThrow(fault);
  });

  test("takes sha384 and sha512 digests", () => {
    expect(parseReference(`a@sha384:${"0".repeat(96)}`).digest).toBe(`sha384:${"0".repeat(96)}`);
    expect(parseReference(`a@sha512:${"0".repeat(128)}`).digest).toBe(`sha512:${"0".repeat(128)}`);
  });

  test("says what to write instead of a URL", () => {
    const error = thrownBy(() => parseReference("https://example.com/a"));
    expect(error.code).toBe("REFERENCE_INVALID");
    expect(error.hint).toContain("no scheme");
  });

  test("is quick to refuse what almost matches", () => {
    const hostile = `${"a-".repeat(5000)}!`;
    expect(() => parseReference(hostile)).toThrow(OciError);
  });

  test("reads back what formatReference() wrote", () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8}){0,2}$/);
    const name = fc.record({
      registry: fc.constantFrom("docker.io", "localhost:5000", "ghcr.io", "A", "[::1]"),
      repository: fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("/")),
      tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined }),
      digest: fc.option(fc.constant(`sha256:${HEX}`), { nil: undefined }),
    });
    fc.assert(
      fc.property(name, ({ registry, repository, tag, digest }) => {
        const reference = {
          registry,
          repository,
          ...(tag && { tag }),
          ...(digest && { digest }),
        } as Reference;
        expect(parseReference(formatReference(reference))).toEqual(reference);
        // On Docker Hub the short form of "a.b/c" would be read as a host; Docker's own has the same flaw.
        if (registry === "docker.io" && /^[^/]*\./.test(repository)) return;
        expect(parseReference(formatFamiliarReference(reference))).toEqual(reference);
      }),
    );
  });

  test("throws nothing but its own error", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        try {
          parseReference(text);
        } catch (error) {
          expect(error).toBeInstanceOf(OciError);
        }
      }),
    );
  });
});

test("withDefaultTag() adds latest only where neither tag nor digest is", () => {
  expect(withDefaultTag(parseReference("a")).tag).toBe("latest");
  expect(withDefaultTag(parseReference("a:1")).tag).toBe("1");
  expect(withDefaultTag(parseReference(`a@sha256:${HEX}`)).tag).toBeUndefined();
});

test("withoutShadowedTag() drops the tag beside a digest", () => {
  expect(formatReference(withoutShadowedTag(parseReference(`a:1@sha256:${HEX}`)))).toBe(
    `docker.io/library/a@sha256:${HEX}`,
  );
});

test("parseAnyReference() takes bare digests and 64 hex digits", () => {
  expect(parseAnyReference(HEX)).toEqual({ kind: "digest", digest: `sha256:${HEX}` });
  expect(parseAnyReference(`sha256:${HEX}`)).toEqual({ kind: "digest", digest: `sha256:${HEX}` });
  expect(parseAnyReference("sha256:abc").kind).toBe("reference");
});

function thrownBy(action: () => unknown): OciError {
  try {
    action();
  } catch (error) {
    if (error instanceof OciError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
