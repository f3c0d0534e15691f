import { expect, test } from "vitest";
import { decodeCapabilityMask } from "../../../src/runner/host/capability-mask.ts";

test("decodeCapabilityMask() names the bits of a mask", () => {
  expect(decodeCapabilityMask("0000000000000003")).toEqual(["CAP_CHOWN", "CAP_DAC_OVERRIDE"]);
  expect(decodeCapabilityMask("0000010000000000")).toEqual(["CAP_CHECKPOINT_RESTORE"]);
  expect(decodeCapabilityMask("8000000000000000")).toEqual([]);
});
