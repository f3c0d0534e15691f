import { expect, test } from "vitest";
import {
  fitsMountOptions,
  MAX_OPTIONS_BYTES,
  overlayOptions,
} from "../../../src/runner/bundle/overlay-options.ts";

const folders = (...lower: readonly string[]) => ({ lower, upper: "/u", work: "/w" });

test("overlayOptions() lists lower folders as they are given, top first", () => {
  expect(overlayOptions(folders("/b", "/a"))[0]).toBe("lowerdir=/b:/a");
});

test("fitsMountOptions() counts bytes up to the page's last but one", () => {
  const rest = Buffer.byteLength(overlayOptions(folders("")).join(","));
  expect(fitsMountOptions(folders("x".repeat(MAX_OPTIONS_BYTES - rest)))).toBe(true);
  expect(fitsMountOptions(folders("x".repeat(MAX_OPTIONS_BYTES - rest + 1)))).toBe(false);
  expect(fitsMountOptions(folders("ü".repeat((MAX_OPTIONS_BYTES - rest) / 2 + 1)))).toBe(false);
});

test.each([":", ",", "\\"])("fitsMountOptions() refuses a name with %s", (separator) => {
  expect(fitsMountOptions(folders(`/a${separator}b`))).toBe(false);
  expect(fitsMountOptions({ lower: ["/l"], upper: `/u${separator}`, work: "/w" })).toBe(false);
});
