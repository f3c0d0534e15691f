import { expect, test } from "vitest";
import { withoutStopNoise } from "../../../src/runner/process/stop-noise.ts";

const NOISE = "unshare: sigprocmask unblock failed: Invalid argument\n";

test.each([
  [NOISE, ""],
  [`half a line${NOISE}`, "half a line"],
  [
    "unshare: unshare failed: Operation not permitted\n",
    "unshare: unshare failed: Operation not permitted\n",
  ],
  ["", ""],
])("withoutStopNoise(%j) is %j", (text, left) => {
  expect(Buffer.from(withoutStopNoise(Buffer.from(text))).toString()).toBe(left);
});
