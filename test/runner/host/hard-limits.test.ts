import { expect, test } from "vitest";
import { parseHardLimits } from "../../../src/runner/host/hard-limits.ts";

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max core file size        0                    unlimited            bytes
Max open files            1024                 20000                files
Max realtime timeout      unlimited            unlimited            us
`;

test("parseHardLimits() reads the third column by the names that --ulimit has", () => {
  expect(Object.fromEntries(parseHardLimits(LIMITS))).toEqual({
    cpu: Number.POSITIVE_INFINITY,
    core: Number.POSITIVE_INFINITY,
    nofile: 20_000,
    rttime: Number.POSITIVE_INFINITY,
  });
});
