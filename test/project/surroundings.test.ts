import { expect, test } from "vitest";
import { readSourceFiles, withoutComments } from "./source-files.ts";

/** What only src/cli may touch: it reads the surroundings once and hands each part what it needs. */
const SURROUNDINGS: Readonly<Record<string, RegExp>> = {
  "the environment": /\bprocess\s*\.\s*env\b|\bimport\s*\{[^}]*\benv\b[^}]*\}\s*from\s*"(?:node:)?process"/,
  "the working directory": /\bprocess\s*\.\s*(?:cwd|chdir)\b/,
  "the terminal": /\bprocess\s*\.\s*(?:stdin|stdout|stderr)\b|\bconsole\s*\.\s*\w+\s*\(/,
  "the exit code": /\bprocess\s*\.\s*(?:exit|exitCode)\b/,
  "the arguments": /\bprocess\s*\.\s*argv\b/,
};

const files = readSourceFiles().filter((file) => file.part !== "cli" && !file.path.endsWith(".gen.ts"));

for (const [name, pattern] of Object.entries(SURROUNDINGS)) {
  test(`only src/cli uses ${name}`, () => {
    expect(files.filter((file) => pattern.test(withoutComments(file.text))).map((file) => file.path)).toEqual(
      [],
    );
  });
}

test("the patterns match what they are for", () => {
  expect('const home = process.env["HOME"];').toMatch(SURROUNDINGS["the environment"] as RegExp);
  expect('import { env } from "node:process";').toMatch(SURROUNDINGS["the environment"] as RegExp);
  expect("console.log(1)").toMatch(SURROUNDINGS["the terminal"] as RegExp);
  expect("process.stdout.write(x)").toMatch(SURROUNDINGS["the terminal"] as RegExp);
});

test("src/ has no module-level variable that can change", () => {
  const wrong = files.filter((file) => /^(?:export )?(?:let|var) /m.test(withoutComments(file.text)));
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test("the pure folders use no file, process or network API of Node", () => {
  const effects =
    /^node:(?:fs|child_process|net|http|https|http2|tls|dns|dgram|cluster|worker_threads)(?:\/|$)/;
  const wrong = readSourceFiles()
    .filter((file) => ["oci", "tar", "parser"].includes(file.part))
    .flatMap((file) =>
      file.imports
        .filter(({ specifier }) => effects.test(specifier))
        .map(({ specifier }) => `${file.path} imports ${specifier}`),
    );
  expect(wrong).toEqual([]);
});
