import { describe, expect, it } from "vitest";
import { readSettings } from "../../src/cli/environment.ts";

const root = { uid: 0, home: "/root", isInNamespace: false };
const user = { uid: 1000, home: "/home/u", isInNamespace: false };

describe("readSettings()", () => {
  it.each([
    [{}, root, "/var/lib/strake"],
    [{}, user, "/home/u/.local/share/strake"],
    [{ XDG_DATA_HOME: "/data" }, user, "/data/strake"],
    [{ XDG_DATA_HOME: "/data" }, root, "/var/lib/strake"],
    [{ STRAKE_ROOT: "/s", XDG_DATA_HOME: "/data" }, user, "/s"],
    [{ STRAKE_ROOT: "" }, root, "/var/lib/strake"],
    [{}, { ...user, isInNamespace: true }, "/home/u/.local/share/strake"],
  ])("finds the store for %j of %j", (variables, person, storeRoot) => {
    expect(readSettings(variables, person).storeRoot).toBe(storeRoot);
  });

  it.each([
    [{ TERM: "xterm" }, false, false],
    [{ TERM: "xterm", NO_COLOR: "1" }, true, false],
    [{ TERM: "xterm", NO_COLOR: "" }, false, false],
    [{ TERM: "dumb" }, true, true],
    [{}, true, true],
  ])("knows for %j whether to colour and redraw", (variables, noColor, dumbTerminal) => {
    expect(readSettings(variables, root)).toMatchObject({ noColor, dumbTerminal });
  });

  it("can't be changed", () => {
    const settings = readSettings({ A: "1" }, root);
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.isFrozen(settings.variables)).toBe(true);
  });

  it("reads lists apart by commas", () => {
    const settings = readSettings(
      { STRAKE_INSECURE_REGISTRIES: "a, b:5000,", STRAKE_REGISTRY_MIRRORS: "x=y" },
      root,
    );
    expect(settings).toMatchObject({ insecureRegistries: ["a", "b:5000"], registryMirrors: ["x=y"] });
  });
});
