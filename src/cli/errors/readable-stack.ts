import { readFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** A place in a script, as V8 writes it: `/path/strake-ABC.cjs:9:220`. */
const PLACE = /[^\s():]+\/([^\s():/]+):(\d+):(\d+)/g;

/**
 * A stack with the lines of src/ in the place of those of the command's bundle, which is minified: as far as the build has
 * left a map beside it. Names of functions stay the short ones.
 * @param script where the bundle is; stacks have only its name right, as its compiled code is made elsewhere
 */
export async function readableStack(
  stack: string,
  script: string = fileURLToPath(import.meta.url),
): Promise<string> {
  const map = await readMap(`${script}.map`);
  return stack.replaceAll(PLACE, (place, name: string, line: string, column: string) => {
    if (name !== basename(script)) return place;
    const found = map?.findEntry(Number(line) - 1, Number(column) - 1);
    if (found === undefined || !("originalSource" in found)) return place;
    const source = found.originalSource.replace(/^(\.\.\/)+/, "");
    return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`;
  });
}

async function readMap(path: string): Promise<SourceMap | undefined> {
  try {
    return new SourceMap(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // Without one the stack is worth as much as it is.
    return undefined;
  }
}
