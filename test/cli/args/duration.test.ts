import { describe, expect, test } from "vitest";
import { parseDurationMs } from "../../../src/cli/args/duration.ts";

describe("parseDurationMs()", () => {
  test.each([
    ["0", 0],
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["500ms", 500],
    ["1.5m", 90_000],
    ["0s", 0],
  ])("%s", (text, ms) => {
    expect(parseDurationMs(text, "--retry-timeout")).toBe(ms);
  });

  test.each(["", "10", "s", "-1s", "1 h", "1d", "1h garbage", "9".repeat(400) + "h"])(
    "refuses %j",
    (text) => {
      expect(() => parseDurationMs(text, "--retry-timeout")).toThrow(
        /Cannot read --retry-timeout .* as a duration/,
      );
    },
  );
});
