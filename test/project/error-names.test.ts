import { expect, test } from "vitest";
import { readSourceFiles } from "./source-files.ts";

/** The command's bundle has short names; what an error is called must not depend on what its class is. */
test("every class of errors that people see says its name", () => {
  const classes = readSourceFiles().flatMap(({ path, text }) =>
    [...text.matchAll(/class (\w+) extends (?:StrakeError|BuildError)\b/g)].map(([, name]) => ({
      where: `${path}: ${name}`,
      isSaid: text.includes(`static override readonly name: string = "${name}";`),
    })),
  );
  expect(classes.length).toBeGreaterThan(10);
  expect(classes.filter(({ isSaid }) => !isSaid)).toEqual([]);
});
