import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { afterAll, expect, test } from "vitest";
import { readableStack } from "../../../src/cli/errors/readable-stack.ts";

const folder = mkdtempSync(join(tmpdir(), "strake-stack-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SOURCE = `/* a comment that goes */
function fails(): never {
  throw new Error("no");
}
export const run = () => fails();
`;
const script = join(folder, "bundle.cjs");
const { code, map } = transformSync(SOURCE, {
  loader: "ts",
  minify: true,
  format: "cjs",
  sourcemap: "external",
  sourcefile: "../../src/a.ts",
});
writeFileSync(script, code);
writeFileSync(`${script}.map`, map);
const column = code.indexOf("new Error") + 1;

test("a place in the bundle becomes the place in the source, wherever the bundle was compiled", async () => {
  const stack = `Error: no\n    at n (/elsewhere/.new/bundle.cjs:1:${column})\n    at node:internal/x:1:2`;
  expect(await readableStack(stack, script)).toBe(
    "Error: no\n    at n (src/a.ts:3:9)\n    at node:internal/x:1:2",
  );
});

test("places in other files, and all without a map, stay", async () => {
  const stack = `Error: no\n    at n (/elsewhere/bundle.cjs:1:${column})\n    at m (/other/file.cjs:1:${column})`;
  expect(await readableStack(stack, join(folder, "none", "bundle.cjs"))).toBe(stack);
  expect(await readableStack(stack, script)).toContain(`/other/file.cjs:1:${column}`);
});
