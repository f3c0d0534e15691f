import { describe, expect, test } from "vitest";
import { bodyMarginMs, decodeToken, useUntilMs } from "../../../src/registry/auth/token.ts";

const decode = (value: unknown) =>
  decodeToken(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));

describe("decodeToken()", () => {
  test.each<[unknown, number]>([
    [{ token: "t" }, 60_000],
    [{ access_token: "t" }, 60_000],
    [{ token: "t", access_token: "u", expires_in: 300 }, 300_000],
    [{ token: "t", expires_in: 0 }, 60_000],
    [{ token: "t", expires_in: -1 }, 60_000],
    [{ token: "t", expires_in: "300" }, 300_000],
    [{ token: "t", expires_in: "soon" }, 60_000],
    [{ token: "t", expires_in: 1e12 }, 7 * 86_400_000],
    [{ token: "", access_token: "t", issued_at: "1970-01-01T00:00:00Z" }, 60_000],
  ])("takes %j", (answer, lifeMs) => {
    expect(decode(answer)).toEqual({ token: "t", lifeMs });
  });

  test("keeps a refresh token", () => {
    expect(decode({ token: "t", refresh_token: "r" })).toMatchObject({ refreshToken: "r" });
  });

  test.each<[unknown, string]>([
    ["<html>log in</html>", "no JSON but"],
    ["", "no JSON"],
    [{}, "no token"],
    [[], "no token"],
    ["null", "no JSON object"],
    [{ token: 5 }, "no token"],
    [{ token: "a\r\nX-Evil: 1" }, "no header may have"],
  ])("says what is wrong with %j", (answer, fault) => {
    expect(decode(answer)).toEqual({ fault: expect.stringContaining(fault) });
  });
});

test("a token is not used to its very end, and less so before a body", () => {
  expect(useUntilMs(1000, 60_000)).toBe(1000 + 50_000);
  expect(useUntilMs(1000, 300_000)).toBe(1000 + 270_000);
  expect(bodyMarginMs(60_000)).toBe(30_000);
  expect(bodyMarginMs(300_000)).toBe(75_000);
  expect(bodyMarginMs(43_200_000)).toBe(120_000);
});
