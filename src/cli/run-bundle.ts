import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { Script } from "node:vm";

/*
 * How the bundle of bin.ts is compiled and run, by start.ts and by scripts/compile-ahead.mjs: V8 takes compiled code only for
 * the very text that it was made of.
 */

/** Commands whose work is to move images: they run other code than a build does. */
const TRANSFERS: ReadonlySet<string> = new Set(["artifact", "copy", "edit", "pull", "push", "registry"]);

/** Where the compiled code for a command lies: each holds what its kind runs, because all of it is read at every start. */
export function compiledFile(bundle: string, command: string | undefined): string {
  return `${bundle}.${TRANSFERS.has(command ?? "") ? "transfers" : "builds"}.compiled`;
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
