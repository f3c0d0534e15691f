import { describe, expect, it } from "vitest";
import { BodyTrust } from "../../../src/registry/transport/body-trust.ts";

const SMALL = { bytes: 1000 };
const LARGE = { bytes: 10_000_000 };
const NONE = { bytes: 0 };

describe("BodyTrust", () => {
  it("asks about the first large body, for as long as a few round trips take", () => {
    const trust = new BodyTrust();
    trust.answered(202, NONE, 30);
    expect(trust.expectation).toEqual({ leastBytes: 256 * 1024, timeoutMs: 120 });
    trust.answered(202, NONE, 1);
    expect(trust.expectation?.timeoutMs).toBe(50);
    trust.answered(202, NONE, 100_000);
    expect(trust.expectation?.timeoutMs).toBe(1000);
  });

  it("asks no more once a large body was taken, or one of a size that nobody knew", () => {
    for (const body of [LARGE, { bytes: undefined }]) {
      const trust = new BodyTrust();
      trust.answered(201, SMALL, 1);
      expect(trust.expectation).toBeDefined();
      trust.answered(201, body, 1);
      expect(trust.expectation).toBeUndefined();
    }
  });

  it("takes a refused body for no sign of trust", () => {
    const trust = new BodyTrust();
    trust.answered(413, LARGE, 1);
    expect(trust.expectation).toBeDefined();
  });

  it("asks about smaller ones too after a failure, whatever came before and behind it", () => {
    for (const fail of [
      (trust: BodyTrust) => trust.failed(),
      (trust: BodyTrust) => trust.answered(503, NONE, 1),
    ]) {
      const trust = new BodyTrust();
      trust.answered(201, LARGE, 1);
      fail(trust);
      trust.answered(201, LARGE, 1);
      expect(trust.expectation).toEqual({ leastBytes: 16 * 1024, timeoutMs: 1000 });
    }
  });

  it("never asks a host again that does not know the question", () => {
    const trust = new BodyTrust();
    trust.refusedQuestion();
    trust.failed();
    expect(trust.expectation).toBeUndefined();
  });
});
