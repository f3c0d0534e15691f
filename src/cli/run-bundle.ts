import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { Script } from "node:vm";

/*
 * How a bundle of bin.ts is compiled and run, by start.ts and by scripts/compile-ahead.mjs: V8 takes compiled code only for
 * the very text that it was made of.
 */

/** There are two bundles, because V8 reads all of one at every start: for moving images, and for everything. */
export type BundleKind = "transfers" | "all";

/** Commands (first words of theirs) whose work is to move images: they need no builder. */
const TRANSFERS: ReadonlySet<string> = new Set(["artifact", "copy", "pull", "push", "registry"]);

/** The bundle for a command, by its first word. */
export function bundleFor(command: string | undefined): BundleKind {
  return TRANSFERS.has(command ?? "") ? "transfers" : "all";
}

/** Where the compiled code of a bundle lies. */
export function compiledFile(bundle: string): string {
  return `${bundle}.compiled`;
}

/**
 * Compiles a CommonJS script that is all ASCII, and has the function around it that Node puts around one.
 * @param cachedData what V8 compiled of it before; it may refuse that
 */
export function compileBundle(filename: string, cachedData?: Buffer): Script {
  return new Script(readFileSync(filename, "latin1"), { filename, cachedData });
}

/** Runs it as Node runs a CommonJS module. */
export function runBundle(script: Script, filename: string): void {
  const bundle = { exports: {} };
  script.runInThisContext()(bundle.exports, createRequire(filename), bundle, filename, dirname(filename));
}
