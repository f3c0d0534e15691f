// Makes the compiled code that src/cli/start.ts gives V8: of the functions that a build from the cache runs.
//
// build.mjs calls compile(), which runs this file as if it were dist/cli.js: it writes what was compiled when it ends.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import nodeModule, { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

const SELF = fileURLToPath(import.meta.url);

/** Builds a small image twice in a store of its own: the second build, all cached, is what people wait for most often. */
export function compile(script) {
  const folder = mkdtempSync(join(tmpdir(), "strake-compile-"));
  try {
    const base = join(folder, "base");
    const compiled = `${script}.compiled`;
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

function runAndKeep(script, compiled) {
  const code = new Script(nodeModule.wrap(readFileSync(script, "latin1")), { filename: script });
  process.on("exit", () => {
    // In a user namespace the command runs itself again: that process was first, and has compiled more.
    if (existsSync(compiled)) return;
    const file = `${compiled}.${process.pid}`;
    writeFileSync(file, code.createCachedData());
    renameSync(file, compiled);
  });
  const bundle = { exports: {} };
  code.runInThisContext()(bundle.exports, createRequire(script), bundle, script, dirname(script));
}

if (process.argv[1] === SELF) runAndKeep(process.env.COMPILE_AHEAD, `${process.env.COMPILE_AHEAD}.compiled`);
