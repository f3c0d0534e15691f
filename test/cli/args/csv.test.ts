import { describe, expect, it } from "vitest";
import { parseAttributes, splitCsv } from "../../../src/cli/args/csv.ts";

describe("splitCsv()", () => {
  it.each<[string, string[]]>([
    ["", [""]],
    ["a", ["a"]],
    ["a,b", ["a", "b"]],
    ["a,,b", ["a", "", "b"]],
    ['"name=a,b",type=oci', ["name=a,b", "type=oci"]],
    ['type=oci,"name=a,b"', ["type=oci", "name=a,b"]],
    ['"say ""hi"""', ['say "hi"']],
    ['""', [""]],
  ])("splits %j", (text, fields) => {
    expect(splitCsv(text, "-o")).toEqual(fields);
  });

  it.each(['"a', '"a"b', 'a"b', 'name="a,b"'])("refuses %j", (text) => {
    expect(() => splitCsv(text, "-o")).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});

describe("parseAttributes()", () => {
  it("keeps the case of values and what follows a second equals sign", () => {
    expect(parseAttributes("Type=Local,dest=a=B", "-o")).toEqual([
      { key: "type", value: "Local" },
      { key: "dest", value: "a=B" },
    ]);
  });

  it("refuses a field without an equals sign", () => {
    expect(() => parseAttributes("type=oci,x", "--output")).toThrow(
      'Cannot read --output "type=oci,x": "x" is no key=value',
    );
  });
});
