import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of recorded answers, where there is one beside this project. */
function findCorpus(): string | undefined {
  const shared = process.env["STRAKE_SHARED"] ?? fileURLToPath(new URL("../../../shared", import.meta.url));
  const folder = join(shared, "corpus");
  return existsSync(folder) ? folder : undefined;
}

export const corpusFolder = findCorpus();

export function readJson(...path: string[]): unknown {
  return JSON.parse(readFileSync(join(corpusFolder ?? "", ...path), "utf8"));
}

/** The Dockerfiles of a folder of the corpus: name, bytes, recorded answer. */
export function* dockerfilesOf(
  folder: string,
): Generator<{ name: string; bytes: Uint8Array; answer: unknown }> {
  for (const file of readdirSync(join(corpusFolder ?? "", folder)).sort()) {
    if (!file.endsWith(".Dockerfile")) continue;
    const name = file.slice(0, -".Dockerfile".length);
    yield {
      name,
      bytes: readFileSync(join(corpusFolder ?? "", folder, file)),
      answer: readJson(folder, `${name}.json`),
    };
  }
}

/**
 * A recorded parse without what is not meant to agree: where the file comes from, and the words of errors and of a
 * warning's explanation.
 */
export function withoutWording(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer), (key, value: unknown) => {
    if (key === "source" && typeof value === "string") return undefined;
    if (key === "error" || key === "mountError" || key === "detail") return true;
    return value;
  });
}
