import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "../../src/util/nearest.ts";

describe("nearest()", () => {
  it("finds the word that a typing mistake explains", () => {
    expect(nearest("RNU", ["RUN", "FROM"])).toBe("RUN");
    expect(nearest("chwon", ["chown", "chmod", "from"])).toBe("chown");
    expect(nearest("Builder", ["builder", "runtime"])).toBe("builder");
  });

  it("suggests nothing when nothing is close", () => {
    expect(nearest("xyzzy", ["run", "copy"])).toBeUndefined();
    expect(nearest("anything", [])).toBeUndefined();
  });
});

describe("editDistance()", () => {
  it("counts a swap of neighbours once", () => {
    expect(editDistance("ab", "ba")).toBe(1);
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("", "abc")).toBe(3);
  });

  it("stops at the limit", () => {
    expect(editDistance("aaaaaaaa", "b", 2)).toBe(2);
  });
});
