import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseToml, TomlError } from "../../../src/registry/hosts/toml.ts";

const plain = (text: string): unknown => JSON.parse(JSON.stringify(parseToml(text)));

describe("parseToml()", () => {
  test("reads what configuration files hold", () => {
    expect(
      plain(`# a comment
title = "x" # another
'quoted key' = 'C:\\no\\escapes'
a.b."c.d" = 1_000
hex = 0xff
float = -1.5e3
yes = true
when = 1979-05-27T07:32:00Z
list = [1, 2, # inside
  3,
]
nested = [["a"], []]
point = { x = 1, y.z = "2" }

[table]
key = "tab\\there \\u00e9 \\U0001F600"

[table.inner]
long = """
one \\
   two
"three\\""""
raw = '''
a'b'''

[[products]]
name = "hammer"
[[products.parts]]
id = 1
[[products.parts]]
id = 2

[[products]]
`),
    ).toEqual({
      title: "x",
      "quoted key": "C:\\no\\escapes",
      a: { b: { "c.d": 1000 } },
      hex: 255,
      float: -1500,
      yes: true,
      when: "1979-05-27T07:32:00Z",
      list: [1, 2, 3],
      nested: [["a"], []],
      point: { x: 1, y: { z: "2" } },
      table: { key: "tab\there é 😀", inner: { long: 'one two\n"three"', raw: "a'b" } },
      products: [{ name: "hammer", parts: [{ id: 1 }, { id: 2 }] }, {}],
    });
  });

  test("takes line ends and marks of Windows", () => {
    expect(plain("\uFEFFa = 1\r\nb = 2\r\n")).toEqual({ a: 1, b: 2 });
  });

  test.each<[string, string]>([
    ["a = 1\na = 2", 'line 2: "a" is there already'],
    ["[a]\n[a]", 'line 2: "a" is there already'],
    ["a = 1\n[a]", "is there already"],
    ["a = 1\n[a.b]", '"a" is no table'],
    ["a = []\n[[a]]", "no array of tables"],
    ["a", "a key needs a value"],
    ["a =", "a value is missing"],
    ["= 1", "a key is missing"],
    ["a = 1 2", "something follows the value"],
    ["a = nope", '"nope" is no value'],
    ["a = 01", "is no value"],
    ['a = "x', "a text does not end"],
    ['a = "x\ny"', "a text does not end"],
    ['a = "\\q"', "an escape that is none"],
    ['a = "\\ud800"', "no character"],
    ["a = [1", "the list does not end"],
    ["a = {b = 1", "the table does not end"],
    ["[a", "the table's name does not end"],
  ])("%j: %s", (text, fault) => {
    expect(() => parseToml(text)).toThrow(fault);
  });

  test("takes names that objects have of their own", () => {
    expect(parseToml("constructor = 1\n[__proto__]\nx = 2")["constructor"]).toBe(1);
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  test("throws nothing but its own error", () => {
    const piece = fc.constantFrom(
      "[",
      "]",
      "[[",
      "]]",
      "a",
      ".",
      "=",
      '"',
      "'",
      "\\",
      "\n",
      "{",
      "}",
      ",",
      "1",
      " ",
      "#",
      '"""',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          parseToml(pieces.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(TomlError);
        }
      }),
    );
  });
});
