import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseChallenges } from "../../src/registry/auth/challenge.ts";
import { decodeToken } from "../../src/registry/auth/token.ts";
import { storedBytes } from "../../src/registry/blobs/chunk-answer.ts";
import { finishUrl, resolveUploadLocation } from "../../src/registry/blobs/upload-location.ts";
import { parseCredentialFile, parseLegacyFile } from "../../src/registry/credentials/config-file.ts";
import { decodeErrorBody, describeErrors } from "../../src/registry/error-body.ts";
import { parseRegistriesConf } from "../../src/registry/hosts/registries-conf.ts";
import { RegistryError } from "../../src/registry/index.ts";
import { parseNextLink } from "../../src/registry/link.ts";
import { parseContentRange } from "../../src/registry/transport/content-range.ts";
import { decideRedirect } from "../../src/registry/transport/redirect.ts";
import { parseResponseHead } from "../../src/registry/transport/response-head.ts";
import { parseRetryAfter } from "../../src/registry/transport/retry.ts";
import { parseWarnings } from "../../src/registry/warnings.ts";

/** Texts that are nearly right: honest ones with pieces cut out, doubled, swapped and rubbish in between. */
function nearly(...honest: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(
      ",",
      ";",
      "=",
      '"',
      "\\",
      "<",
      ">",
      "/",
      ":",
      "@",
      "?",
      " ",
      "\t",
      "\r\n",
      "\u0000",
      "é",
      "-",
      "%",
    ),
    fc.string({ maxLength: 5, unit: "binary" }),
    fc.constantFrom("99999999999999999999", "-1", "0x10", "1e9", "\\u0000"),
  );
  const edit = fc.record({ at: fc.nat(200), cut: fc.nat(8), put: piece });
  return fc.tuple(fc.constantFrom(...honest), fc.array(edit, { maxLength: 4 })).map(([text, edits]) =>
    edits.reduce((now, { at, cut, put }) => {
      const from = at % (now.length + 1);
      return now.slice(0, from) + put + now.slice(from + cut);
    }, text),
  );
}

const RUNS = { numRuns: 400 };
const holds = (texts: fc.Arbitrary<string>, claim: (text: string) => void): void => {
  fc.assert(
    fc.property(texts, (text) => void claim(text)),
    RUNS,
  );
};

describe("what a server sends, nearly right, never throws", () => {
  test("challenges", () => {
    const honest = [
      'Bearer realm="https://auth.example.com/token",service="r",scope="repository:a/b:pull,push"',
      'Basic realm="My \\"Realm\\"", Negotiate abc=, Bearer realm=x',
    ];
    holds(nearly(...honest), (text) => {
      for (const { scheme } of parseChallenges([text, text])) expect(scheme).toBe(scheme.toLowerCase());
    });
  });

  test("links", () => {
    holds(nearly('</v2/a/tags/list?n=1&last=b>; rel="next"', "<a>; rel=prev, <b>;REL=next"), (text) => {
      expect(parseNextLink([text]) ?? "").not.toContain(">");
    });
  });

  test("ranges", () => {
    holds(nearly("bytes 5-9/10", "bytes 0-0/*", "bytes */10"), (text) => {
      const range = parseContentRange(text);
      if (range === undefined) return;
      expect(range.first).toBeLessThanOrEqual(range.last);
      if (range.total !== undefined) expect(range.last).toBeLessThan(range.total);
      expect(Number.isSafeInteger(range.last)).toBe(true);
    });
    holds(nearly("0-99", "bytes=0-99"), (text) => {
      const stored = storedBytes(text);
      if (stored !== undefined) expect(Number.isSafeInteger(stored) && stored >= 0).toBe(true);
    });
  });

  test("times to wait", () => {
    holds(nearly("120", "Wed, 21 Oct 2015 07:28:00 GMT"), (text) => {
      const waitMs = parseRetryAfter(text, 1_400_000_000_000);
      if (waitMs !== undefined) expect(Number.isFinite(waitMs) && waitMs >= 0).toBe(true);
    });
  });

  test("redirects: followed to web addresses only, never out of https", () => {
    const from = new URL("https://registry.example.com/v2/a/blobs/x");
    const honest = [
      "https://cdn.example.com/x?sig=a%2Fb",
      "//cdn.example.com/x",
      "../y",
      "http://127.0.0.1/x",
      "https://u:p@[::1]:8080/",
    ];
    holds(nearly(...honest), (location) => {
      const decision = decideRedirect({ method: "GET", url: from, status: 307, location, trail: [] });
      if (decision.kind === "refuse") return;
      expect(decision.url.protocol).toBe("https:");
      expect(decision.url.username + decision.url.password).toBe("");
      expect(decision.url.hostname).not.toMatch(/^(?:127\.|localhost$|\[::1\]$|10\.|169\.254\.)/);
      expect(decision.sameOrigin).toBe(decision.url.origin === from.origin);
    });
  });

  test("upload locations: web addresses only, and what finishes them is one too", () => {
    const from = new URL("https://registry.example.com/v2/a/blobs/uploads/");
    const honest = [
      "/v2/a/blobs/uploads/1?_state=a%2Fb",
      "registry.example.com/v2/x",
      "http://registry.example.com/x",
    ];
    holds(nearly(...honest), (location) => {
      const found = resolveUploadLocation(location, from);
      if (!(found instanceof URL)) return;
      expect(found.protocol).toBe("https:");
      expect(finishUrl(found, "sha256:x").searchParams.getAll("digest").at(-1)).toBe("sha256:x");
    });
  });

  test("tokens", () => {
    const honest = [
      '{"token":"abc","expires_in":300}',
      '{"access_token":"abc","refresh_token":"r","expires_in":"60"}',
    ];
    holds(nearly(...honest), (text) => {
      const token = decodeToken(Buffer.from(text));
      if ("fault" in token) return;
      expect(token.token.length).toBeGreaterThan(0);
      expect(token.lifeMs > 0 && Number.isFinite(token.lifeMs)).toBe(true);
    });
  });

  test("errors and warnings", () => {
    holds(
      nearly('{"errors":[{"code":"DENIED","message":"no","detail":{}}]}', "<html><h1>502</h1>"),
      (text) => {
        const said = describeErrors(decodeErrorBody(Buffer.from(text)));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that none of these is left is the claim
        expect(said).not.toMatch(/[\u0000-\u001f\u007f]/);
      },
    );
    holds(nearly('299 - "moving soon"', '299 - "a", 299 - "b \\" c"'), (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that none of these is left is the claim
      for (const warning of parseWarnings([text])) expect(warning).not.toMatch(/[\u0000-\u001f\u007f]/);
    });
  });

  test("heads of answers", () => {
    holds(nearly("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive"), (text) => {
      const head = parseResponseHead(text);
      if (head?.framing.kind === "length") expect(Number.isSafeInteger(head.framing.bytes)).toBe(true);
    });
  });
});

describe("what lies in files, nearly right, is read or refused with an error of ours", () => {
  const refusals = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(RegistryError);
    }
  };

  test("credentials", () => {
    const honest = [
      '{"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"}},"credHelpers":{"a.b":"x"},"credsStore":"y"}',
      '{"auths":{"r:5000":{"identitytoken":"t","registrytoken":"u"}}}',
    ];
    holds(nearly(...honest), (text) => {
      refusals(() => parseCredentialFile(text, "config.json"));
      refusals(() => parseLegacyFile(text, ".dockercfg"));
    });
  });

  test("settings of registries", () => {
    const honest = [
      'unqualified-search-registries = ["docker.io"]\n[[registry]]\nprefix = "*.example.com"\nlocation = "m"\ninsecure = true',
      '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "digest-only"',
    ];
    holds(nearly(...honest), (text) => refusals(() => parseRegistriesConf(text, "registries.conf")));
  });
});
