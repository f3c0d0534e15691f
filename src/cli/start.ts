#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileBundle, compiledFile, runBundle } from "./run-bundle.ts";

/*
 * Starts the bundle of bin.ts with the compiled code that the build has put beside it. Compiling and linking that much
 * code takes three times as long as all that a cached rebuild does itself, and Node keeps compiled code only from
 * version 22 on, where it is asked to. Another version of Node, or other flags of V8, refuse what was compiled: then the
 * bundle is compiled as usual.
 */

/** Name of the bundle from here, with a digest of its content: compiled code never meets another bundle. */
declare const STRAKE_BUNDLE: string;

function readCompiled(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    // The build could not make it; it only saves time.
    return undefined;
  }
}

const filename = join(import.meta.dirname, STRAKE_BUNDLE);
const compiled = readCompiled(compiledFile(filename, process.argv[2]));
runBundle(compileBundle(filename, compiled), filename);
