import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's top folder. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Folders of a checkout that are not part of it. */
export const NOT_OURS: ReadonlySet<string> = new Set(["node_modules", "dist", ".git", "coverage"]);

/** All Markdown files of the project, relative to its top folder. */
export function findDocuments(folder = "."): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : findDocuments(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** One TypeScript file of src/. */
export interface SourceFile {
  /** Relative to src/: `store/blobs.ts`. */
  readonly path: string;
  /** The part of src/ it belongs to: the first folder's name, or the file's own where it lies in src/ itself. */
  readonly part: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** One import, re-export, `import()` or `import("…")` type. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Relative to src/; undefined where it names a package. */
  readonly path: string | undefined;
  /** Exists only for the type checker. */
  readonly typeOnly: boolean;
  /** Runs only when it is reached: `import()`. */
  readonly deferred: boolean;
}

/** All TypeScript files of src/, generated ones included. */
export function readSourceFiles(): readonly SourceFile[] {
  const src = join(ROOT, "src");
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(src, join(entry.parentPath, entry.name)))
    .sort()
    .map((path) => {
      const text = readFileSync(join(src, path), "utf8");
      return { path, part: path.split("/")[0] ?? path, text, imports: findImports(path, text) };
    });
}

/** The imports of a file. Reads statements that start a line, as the formatter writes them. */
export function findImports(path: string, text: string): readonly Import[] {
  const statements = text.matchAll(
    /^(?:import|export)\b(?<type>\s+type\b)?(?:[^;"'(]*?\bfrom)?\s*"(?<specifier>[^"]+)"/gm,
  );
  const calls = withoutComments(text).matchAll(
    /\bimport\(\s*"(?<specifier>[^"]+)"\s*\)(?<member>\s*\.\s*[A-Z])?/g,
  );
  return [
    ...Array.from(statements, (match) => ({
      match,
      deferred: false,
      typeOnly: match.groups?.["type"] !== undefined,
    })),
    ...Array.from(calls, (match) => ({
      match,
      deferred: true,
      typeOnly: match.groups?.["member"] !== undefined,
    })),
  ].map(({ match, deferred, typeOnly }) => {
    const specifier = match.groups?.["specifier"] ?? "";
    const path_ = specifier.startsWith(".") ? posix.join(dirname(path), specifier) : undefined;
    return { specifier, path: path_, typeOnly, deferred };
  });
}

/** The text with its comments gone, for searches that should see code only. Not a parser: knows whole-line comments. */
export function withoutComments(text: string): string {
  return text
    .replace(/^\s*\/\*[\s\S]*?\*\//gm, "")
    .replace(/^\s*\/\/.*$/gm, "")
    .replace(/\s\/\/ .*$/gm, "");
}
