// Makes the compiled code that src/cli/start.ts gives V8: of the functions that a build from the cache runs.
//
// build.mjs calls compile(), which runs this file as if it were dist/cli.js: it writes what was compiled when it ends.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const SELF = fileURLToPath(import.meta.url);
/** What dist/cli.js runs the command with: compiled code is taken only by whoever does all the same. */
const RUN_BUNDLE_TS = fileURLToPath(new URL("../src/cli/run-bundle.ts", import.meta.url));

/** Builds a small image twice in a store of its own: the second build, all cached, is what people wait for most often. */
export function compile(script) {
  const folder = mkdtempSync(join(tmpdir(), "strake-compile-"));
  try {
    const base = join(folder, "base");
    const compiled = `${script}.compiled`;
    const runner = join(folder, "run-bundle.mjs");
    buildSync({ entryPoints: [RUN_BUNDLE_TS], outfile: runner, platform: "node", format: "esm" });
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch AS base\nCOPY Dockerfile /\n");
    writeFileSync(
      join(folder, "Dockerfile.app"),
      'FROM base\nWORKDIR /app\nCOPY Dockerfile* .\nCMD ["app"]\n',
    );
    const run = (...argv) =>
      spawnSync(process.execPath, [SELF, ...argv], {
        cwd: folder,
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          STRAKE_ROOT: join(folder, "store"),
          COMPILE_AHEAD: script,
          RUN_BUNDLE: runner,
        },
        stdio: "ignore",
      });
    run("build", "-o", `type=oci,tar=false,dest=${base}`, ".");
    const build = [
      "build",
      "-t",
      "app",
      "-f",
      "Dockerfile.app",
      "--build-context",
      `base=oci-layout://${base}`,
      ".",
    ];
    run(...build);
    rmSync(compiled, { force: true });
    run(...build);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runAndKeep(script, compiled) {
  const { compileBundle, runBundle } = await import(process.env.RUN_BUNDLE);
  const code = compileBundle(script);
  process.on("exit", () => {
    // In a user namespace the command runs itself again: that process was first, and has compiled more.
    if (existsSync(compiled)) return;
    const file = `${compiled}.${process.pid}`;
    writeFileSync(file, code.createCachedData());
    renameSync(file, compiled);
  });
  runBundle(code, script);
}

if (process.argv[1] === SELF)
  await runAndKeep(process.env.COMPILE_AHEAD, `${process.env.COMPILE_AHEAD}.compiled`);
