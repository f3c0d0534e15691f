import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitCsv } from "../../../src/parser/instructions/csv.ts";
import { parseDuration } from "../../../src/parser/instructions/duration.ts";
import { parseByteSize, parseGoBoolean, parseUint32 } from "../../../src/parser/instructions/go-values.ts";

describe("parseDuration()", () => {
  test.each([
    ["0", 0n],
    ["5s", 5_000_000_000n],
    ["-1.5h", -5_400_000_000_000n],
    ["1h15m30.918273645s", 4_530_918_273_645n],
    [".5ms", 500_000n],
    ["1.s", 1_000_000_000n],
    ["1us1µs1μs1ns", 3_001n],
    ["+3m", 180_000_000_000n],
    ["0.0000000001s", 0n],
    ["9223372036854775807ns", 9_223_372_036_854_775_807n],
  ])("%s is %s ns", (text, wanted) => {
    expect(parseDuration(text)).toBe(wanted);
  });

  test.each(["", "5", "s", ".s", "1x", "1s ", "1 s", "--1s", "9223372036854775808ns", "1e3s", "1d"])(
    "%j is none",
    (text) => {
      expect(parseDuration(text)).toBeTypeOf("string");
    },
  );
});

describe("splitCsv()", () => {
  test("finds the fields that were put together", () => {
    const field = fc.string({ unit: fc.constantFrom("a", ",", '"', "=", " ", "é") });
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), (fields) => {
        const text = fields.map((value) => `"${value.replaceAll('"', '""')}"`).join(",");
        expect(splitCsv(text)).toEqual(fields);
      }),
    );
  });

  test.each([
    ["a=b,c", ["a=b", "c"]],
    ["a,", ["a", ""]],
    [",", ["", ""]],
    ["a\r\n", ["a"]],
    ['"a,b",c', ["a,b", "c"]],
  ])("%j is %j", (text, wanted) => {
    expect(splitCsv(text)).toEqual(wanted);
  });

  test.each(["", "\n", 'a"b', '"a', '"a"b', '"a" ,b'])("%j is refused", (text) => {
    expect(splitCsv(text)).toBeTypeOf("string");
  });
});

test.each([
  ["64m", 67_108_864],
  ["1.5GiB", 1_610_612_736],
  ["512 kb", 524_288],
  ["10", 10],
  ["7b", 7],
  ["1e3k", 1_024_000],
  ["0", 0],
  ["-1", undefined],
  ["", undefined],
  ["k", undefined],
  ["1bb", undefined],
  ["1kx", undefined],
  ["1kibi", undefined],
  ["1 2k", undefined],
])("parseByteSize(%j) is %s", (text, wanted) => {
  expect(parseByteSize(text)).toBe(wanted);
});

test.each([
  ["755", 8, 0o755],
  ["4294967295", 10, 4_294_967_295],
  ["4294967296", 10, undefined],
  ["8", 8, undefined],
  ["", 10, undefined],
  ["+1", 10, undefined],
] as const)("parseUint32(%j, %i) is %s", (text, radix, wanted) => {
  expect(parseUint32(text, radix)).toBe(wanted);
});

test("parseGoBoolean() knows Go's spellings and no others", () => {
  expect(["1", "t", "TRUE", "True"].map(parseGoBoolean)).toEqual([true, true, true, true]);
  expect(["0", "f", "FALSE", "False"].map(parseGoBoolean)).toEqual([false, false, false, false]);
  expect(["yes", "tRUE", "", "on"].map(parseGoBoolean)).toEqual([undefined, undefined, undefined, undefined]);
});
