import { describe, expect, it } from "vitest";
import { checkStopSignal } from "../../../src/builder/graph/stop-signal.ts";

describe("checkStopSignal()", () => {
  it.each(["SIGTERM", "term", "9", "SIGRTMIN+3", "rtmax-14", "64"])("accepts %s", (signal) => {
    expect(() => checkStopSignal(signal)).not.toThrow();
  });

  it.each(["", "0", "SIGNOPE", "RTMIN+16", "SIG"])("rejects %j", (signal) => {
    expect(() => checkStopSignal(signal)).toThrow(/invalid signal/);
  });
});
