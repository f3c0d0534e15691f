import { expect, test } from "vitest";
import { findImports, readSourceFiles, type SourceFile } from "./source-files.ts";

/**
 * Who may import whom; docs/architecture.md has the reasons. `errors.ts` and `util` are open to all. `sys` holds the
 * foreign calls and knows nothing of images, so that only what touches disks and processes needs it.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "errors.ts": ["util"],
  util: ["errors.ts"],
  oci: [],
  tar: ["oci"],
  parser: [],
  sys: [],
  store: ["oci", "tar", "sys"],
  registry: ["oci"],
  runner: ["oci", "sys"],
  cache: ["oci", "store", "sys"],
  builder: ["oci", "tar", "parser", "sys", "store", "registry", "runner", "cache"],
  "index.ts": ["oci", "parser", "store", "registry", "runner", "cache", "builder"],
  cli: ["oci", "tar", "parser", "sys", "store", "registry", "runner", "cache", "builder", "index.ts"],
};
const OPEN_TO_ALL = ["errors.ts", "util"];

const files = readSourceFiles();

test("every part of src/ has a row in the import table", () => {
  const parts = new Set(files.map((file) => file.part));
  expect([...parts].filter((part) => MAY_IMPORT[part] === undefined)).toEqual([]);
});

test("each part imports only what its row names", () => {
  const wrong = files.flatMap((file) =>
    file.imports
      .filter(({ path }) => path !== undefined && !mayImport(file, path))
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test("a generated file is imported only inside its own folder", () => {
  const wrong = files.flatMap((file) =>
    file.imports
      .filter(({ path }) => path?.endsWith(".gen.ts") === true && path.split("/")[0] !== file.part)
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

/** Also for types alone: what can only be understood together belongs together, or its types into a file of their own. */
test("no file imports itself through others", () => {
  expect(findCycles(files)).toEqual([]);
});

test("every relative import carries .ts and names a file that exists", () => {
  const known = new Set(files.map((file) => file.path));
  const wrong = files.flatMap((file) =>
    file.imports
      .filter(({ path }) => path !== undefined && !known.has(path))
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test("findImports() sees every form of import, and none in comments", () => {
  const text = `import { a } from "./a.ts";
import type { B } from "../oci/b.ts";
import {
  c,
  type D,
} from "./c.ts";
import "./effect.ts";
export { e } from "./e.ts";
export type * from "./f.ts";
/** import { no } from "./no.ts"; see import("./no.ts") */
// import("./no.ts")
const late = await import("./late.ts");
type G = import("./g.ts").G;
import koffi from "koffi";
export const from = "./no.ts";
`;
  expect(
    findImports("cli/x.ts", text).map((found) => [
      found.path ?? found.specifier,
      found.typeOnly,
      found.deferred,
    ]),
  ).toEqual([
    ["cli/a.ts", false, false],
    ["oci/b.ts", true, false],
    ["cli/c.ts", false, false],
    ["cli/effect.ts", false, false],
    ["cli/e.ts", false, false],
    ["cli/f.ts", true, false],
    ["koffi", false, false],
    ["cli/late.ts", false, true],
    ["cli/g.ts", true, true],
  ]);
});

test("findCycles() names the files of a cycle, and takes types for imports, and leaves deferred ones out", () => {
  const file = (path: string, text: string): SourceFile => ({
    path,
    part: "cli",
    text,
    imports: findImports(path, text),
  });
  const a = file("a.ts", 'import { b } from "./b.ts";\n');
  expect(findCycles([a, file("b.ts", 'import { a } from "./a.ts";\n')])).toEqual(["a.ts > b.ts > a.ts"]);
  expect(findCycles([a, file("b.ts", 'import type { A } from "./a.ts";\n')])).toEqual(["a.ts > b.ts > a.ts"]);
  expect(findCycles([a, file("b.ts", 'const a = () => import("./a.ts");\n')])).toEqual([]);
});

function mayImport(file: SourceFile, path: string): boolean {
  const part = path.split("/")[0] ?? path;
  return part === file.part || OPEN_TO_ALL.includes(part) || MAY_IMPORT[file.part]?.includes(part) === true;
}

/** Cycles of imports but those that run late; each as `a > b > a`, one for each way back that is found. */
function findCycles(all: readonly SourceFile[]): readonly string[] {
  const byPath = new Map(all.map((file) => [file.path, file]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(" > "));
    if (start >= 0 || done.has(path)) return;
    for (const { path: next, deferred } of byPath.get(path)?.imports ?? []) {
      if (next !== undefined && !deferred) visit(next, [...trail, path]);
    }
    done.add(path);
  };
  for (const file of all) visit(file.path, []);
  return cycles;
}
