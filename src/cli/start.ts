#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BundleKind, bundleFor, compileBundle, compiledFile, runBundle } from "./run-bundle.ts";

/*
 * Starts a bundle of bin.ts with the compiled code that the build has put beside it. Compiling and linking that much
 * code takes three times as long as all that a cached rebuild does itself, and Node keeps compiled code only from
 * version 22 on, where it is asked to. Another version of Node, or other flags of V8, refuse what was compiled: then the
 * bundle is compiled as usual.
 */

/** Names of the bundles from here, with digests of their contents: compiled code never meets another bundle. */
declare const STRAKE_BUNDLES: Readonly<Record<BundleKind, string>>;

function readCompiled(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    // The build could not make it; it only saves time.
    return undefined;
  }
}

const filename = join(import.meta.dirname, STRAKE_BUNDLES[bundleFor(process.argv[2])]);
const compiled = readCompiled(compiledFile(filename));
runBundle(compileBundle(filename, compiled), filename);
