import { describe, expect, test } from "vitest";
import { applyChmod, parseChmod } from "../../../src/builder/files/index.ts";

function chmod(text: string, mode: number, isDir = false): string {
  return applyChmod(parseChmod(text), { mode, isDir }).toString(8);
}

describe("octal", () => {
  test.each([
    ["755", "755"],
    ["0711", "711"],
    ["4755", "4755"],
    ["07777", "7777"],
    ["0", "0"],
  ])("%s", (text, mode) => {
    expect(chmod(text, 0o644)).toBe(mode);
  });

  test.each(["10777", "8", "75a", "0x1ff", "99999999999999999999"])("%s is refused", (text) => {
    expect(() => parseChmod(text)).toThrow(
      `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
    );
  });
});

describe("symbolic", () => {
  test.each([
    ["u+x", 0o644, "744"],
    ["go-r", 0o644, "600"],
    ["a=r,u+w", 0o755, "644"],
    ["+x", 0o644, "755"],
    ["g=u", 0o644, "664"],
    ["g=u", 0o2755, "2775"],
    ["ug+rwx,o-rwx", 0o644, "770"],
    ["u+s", 0o644, "4644"],
    ["g+s,o+t", 0o644, "2644"],
    ["+t", 0o755, "1755"],
    ["u=", 0o4755, "55"],
    ["=", 0o7755, "1000"],
    ["go=u-w", 0o644, "644"],
    ["o=g", 0o750, "755"],
    ["a-X", 0o755, "644"],
    ["u+rw-x", 0o555, "655"],
    ["g+u", 0o640, "660"],
    ["o-u", 0o666, "660"],
  ] as const)("%s on %o gives %s", (text, mode, expected) => {
    expect(chmod(text, mode)).toBe(expected);
  });

  test("X is for folders and for what somebody may execute already", () => {
    expect(chmod("u=rwX,go=rX", 0o600)).toBe("644");
    expect(chmod("u=rwX,go=rX", 0o100)).toBe("755");
    expect(chmod("u=rwX,go=rX", 0o600, true)).toBe("755");
    expect(chmod("u+x,g+X", 0o600)).toBe("700");
  });

  test.each(["u+q", "u", "+x,", ",+x", "x+u", "", "u 755", "-1", "rwxr-xr-x"])("%j is refused", (text) => {
    expect(() => parseChmod(text)).toThrow("invalid syntax");
  });
});

test("without a change a mode stays", () => {
  expect(applyChmod(undefined, { mode: 0o4711, isDir: false })).toBe(0o4711);
});
