import { expect, test } from "vitest";
import { decodeCapabilityMask } from "../../../src/runner/host/capability-mask.ts";
import { DEFAULT_CAPABILITIES } from "../../../src/runner/spec/capabilities.ts";

test("DEFAULT_CAPABILITIES is the mask that a Docker container shows", () => {
  expect([...decodeCapabilityMask("00000000a80425fb")].sort()).toEqual([...DEFAULT_CAPABILITIES].sort());
});
