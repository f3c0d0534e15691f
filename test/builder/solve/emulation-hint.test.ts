import { describe, expect, it } from "vitest";
import { emulationHint, explainEmulation } from "../../../src/builder/solve/emulation-hint.ts";

const HOST = { os: "linux", architecture: "amd64" };
const ARM = { os: "linux", architecture: "arm64" };
const handler = "qemu-aarch64";
const entry = (flags: string, first = "enabled") =>
  `${first}\ninterpreter /usr/bin/qemu-aarch64-static\nflags: ${flags}\noffset 0\n`;

describe("explainEmulation()", () => {
  it.each<[string, { status: string | undefined; entry: string | undefined }, RegExp]>([
    ["nothing is mounted", { status: undefined, entry: undefined }, /mount -t binfmt_misc.*apt-get install/],
    ["handlers are off", { status: "disabled\n", entry: undefined }, /echo 1 > /],
    ["the handler is off", { status: "enabled\n", entry: entry("F", "disabled") }, /echo 1 > /],
    [
      "there is no handler",
      { status: "enabled\n", entry: undefined },
      /no linux\/arm64 programs yet: apt-get install qemu-user-static/,
    ],
    ["the handler is not for containers", { status: "enabled\n", entry: entry("OC") }, /no flag F/],
    [
      "the handler is as it should be",
      { status: "enabled\n", entry: entry("POCF") },
      /is it for linux\/arm64/,
    ],
  ])("says what to do when %s", (_situation, state, hint) => {
    expect(explainEmulation(ARM, HOST, { handler, ...state })).toMatch(hint);
  });

  it("suspects the program where the platform is this machine's", () => {
    const state = { handler: "qemu-x86_64", status: "enabled\n", entry: undefined };
    expect(explainEmulation(HOST, HOST, state)).toMatch(/another kind of machine than linux\/amd64/);
  });
});

describe("emulationHint()", () => {
  it("is silent when the output says something else", async () => {
    expect(await emulationHint(ARM, "make: *** [all] Error 2")).toBeUndefined();
  });

  it("reads what the kernel has", async () => {
    expect(
      await emulationHint({ os: "linux", architecture: "nonesuch" }, "exec /a: exec format error"),
    ).toMatch(/no linux\/nonesuch programs/);
  });
});
