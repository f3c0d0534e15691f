import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TIME = "/usr/bin/time";
/** What is kept of a failing command's output. */
const SHOWN_CHARACTERS = 600;

/** Runs a command to its end; throws with the end of its output when it fails. */
export function execute(argv, { cwd, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0], argv.slice(1), {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const collect = (chunk) => {
      output = (output + chunk).slice(-100_000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${argv.join(" ")}: exit ${code}: ${output.slice(-SHOWN_CHARACTERS)}`));
    });
  });
}

/**
 * Wall-clock seconds of a command, and the largest resident set (MiB) that it or one process below it had, where GNU
 * time is installed. Work in a daemon is in the seconds, not in the MiB.
 */
export async function measure(argv, options) {
  const report = join(tmpdir(), `strake-bench-time-${process.pid}`);
  const timed = existsSync(TIME) ? [TIME, "-f", "%M", "-o", report, ...argv] : argv;
  const begin = process.hrtime.bigint();
  await execute(timed, options);
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  if (timed === argv) return { seconds };
  const maxRssMib = Number(readFileSync(report, "utf8").trim().split("\n").at(-1)) / 1024;
  rmSync(report);
  return { seconds, maxRssMib };
}
