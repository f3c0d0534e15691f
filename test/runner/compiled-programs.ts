import { chmodSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const PROGRAMS = join(import.meta.dirname, "programs");
const MODULES = join(import.meta.dirname, "../../node_modules");

/**
 * Compiles the test programs into `folder`, with the one package that can't be bundled beside them, so that a user who
 * may not read the checkout can run them.
 */
export async function compilePrograms(folder: string): Promise<void> {
  await build({
    entryPoints: [join(PROGRAMS, "sandbox-driver.ts"), join(PROGRAMS, "namespace-driver.ts")],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["koffi"],
    logLevel: "error",
  });
  mkdirSync(join(folder, "node_modules"));
  for (const name of ["koffi", "@koromix"])
    cpSync(join(MODULES, name), join(folder, "node_modules", name), { recursive: true });
  chmodSync(folder, 0o755);
}
