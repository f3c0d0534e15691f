import { expect, test } from "vitest";
import { DEFAULT_CAPABILITIES, decodeCapabilityMask } from "../../../src/runner/spec/capabilities.ts";

test("decodeCapabilityMask() names the bits of a mask", () => {
  expect(decodeCapabilityMask("0000000000000003")).toEqual(["CAP_CHOWN", "CAP_DAC_OVERRIDE"]);
  expect(decodeCapabilityMask("0000010000000000")).toEqual(["CAP_CHECKPOINT_RESTORE"]);
  expect(decodeCapabilityMask("8000000000000000")).toEqual([]);
});

test("DEFAULT_CAPABILITIES is the mask that a Docker container shows", () => {
  expect([...decodeCapabilityMask("00000000a80425fb")].sort()).toEqual([...DEFAULT_CAPABILITIES].sort());
});
