import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SecretMask } from "../../../src/builder/solve/secret-mask.ts";

function mask(secrets: readonly string[], chunks: readonly string[]): string[] {
  const masker = SecretMask.create(secrets.map((secret) => Buffer.from(secret)));
  if (masker === undefined) return [...chunks];
  const shown = chunks.map((chunk) => masker.push(Buffer.from(chunk)));
  return [...shown, masker.flush()].map((bytes) => Buffer.from(bytes).toString());
}

describe("SecretMask", () => {
  it("puts stars in place of a secret, wherever chunks break it", () => {
    expect(mask(["hunter2"], ["a hunter2 b"])).toEqual(["a *** b", ""]);
    expect(mask(["hunter2"], ["a hun", "ter2 b"])).toEqual(["a ", "*** b", ""]);
  });

  it("holds nothing back but what a secret may begin with", () => {
    expect(mask(["hunter2"], ["Password: ", "hat", "h"])).toEqual(["Password: ", "hat", "", "h"]);
  });

  it("leaves no end of the longer of two secrets that begin alike, and no beginning of one that repeats itself", () => {
    expect(mask(["abcd", "abcdefgh"], ["abcd", "efgh."]).join("")).toBe("***.");
    expect(mask(["abcab"], ["abcab", "cab."]).join("")).toBe("***cab.");
    expect(mask(["abcab"], ["abcabcab"]).join("")).toBe("***cab");
  });

  it("knows a file's secret without the newline at its end, and the lines of one that has several", () => {
    expect(mask(["sesame\n"], ["is sesame!"]).join("")).toBe("is ***!");
    const key = "-----BEGIN KEY-----\nAAAAB3NzaC1yc2E=\nshort\n";
    expect(mask([key], ["AAAAB3NzaC1yc2E= short"]).join("")).toBe("*** short");
    expect(mask([key], [key]).join("")).toBe("***\n");
  });

  it("leaves alone what is too short to be a secret, and bytes that are no text", () => {
    expect(SecretMask.create([Buffer.from("yes\n"), Buffer.from("")])).toBeUndefined();
    const masker = SecretMask.create([Buffer.from([0xff, 0xfe, 0xfd, 0xfc])]);
    const bytes = masker?.push(Buffer.from([0x80, 0xff, 0xfe, 0xfd, 0xfc, 0xc3]));
    expect(Buffer.from(bytes ?? [])).toEqual(Buffer.from([0x80, 0x2a, 0x2a, 0x2a, 0xc3]));
  });

  it("never shows a secret and never changes anything else, however the output is cut", () => {
    const letters = fc.constantFrom("a", "b", "c", "\n");
    const text = fc.array(letters, { maxLength: 60 }).map((parts) => parts.join(""));
    const secret = fc
      .array(fc.constantFrom("a", "b"), { minLength: 4, maxLength: 7 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), secret, (chunks, value) => {
        const shown = mask([value], chunks).join("");
        expect(shown).not.toContain(value);
        expect(shown).toBe(chunks.join("").replaceAll(value, "***"));
      }),
    );
  });

  it("takes secrets of many lines, and leaves alone what is too long to be one", () => {
    const lines = Array.from({ length: 300 }, (_, i) => `line ${i} ${"x".repeat(30)}`);
    expect(mask([lines.join("\n")], [`a ${lines[299]} b`]).join("")).toBe("a *** b");
    const bundle = Array.from({ length: 5_000 }, (_, i) => `${"QUJD".repeat(15)}${i}`);
    expect(mask([bundle.join("\n"), "hunter22"], [`${bundle[7]} hunter22`]).join("")).toBe(
      `${bundle[7]} ***`,
    );
  });
});
