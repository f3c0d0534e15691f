// Times strake beside the tools that are installed, on pinned inputs: `npm run bench -- --help`.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeBase } from "./lib/base.mjs";
import { forgetImages } from "./lib/commands.mjs";
import { measure } from "./lib/measure.mjs";
import { startRegistry } from "./lib/registry.mjs";
import { describeMachine, formatRow, summarize, TABLE_HEAD } from "./lib/report.mjs";
import { findTools } from "./lib/tools.mjs";
import { cachedRebuild } from "./workloads/cached-rebuild.mjs";
import { copyBigFiles } from "./workloads/copy-big-files.mjs";
import { copyManyFiles } from "./workloads/copy-many-files.mjs";
import { fetchImage } from "./workloads/fetch-image.mjs";
import { pullImage } from "./workloads/pull-image.mjs";
import { pushImage } from "./workloads/push-image.mjs";
import { pushReady } from "./workloads/push-ready.mjs";
import { runSteps } from "./workloads/run-steps.mjs";
import { startUp } from "./workloads/start-up.mjs";

const WORKLOADS = [
  startUp,
  cachedRebuild,
  runSteps,
  copyManyFiles,
  copyBigFiles,
  pushImage,
  pullImage,
  fetchImage,
  pushReady,
];

const HELP = `usage: npm run bench -- [--only NAME,...] [-n RUNS] [--tool NAME=COMMAND]... [--json FILE]

  --only NAME,...       some workloads: ${WORKLOADS.map(({ name }) => name).join(", ")}
  -n RUNS               measured runs of each tool, after one that does not count (5)
  --tool NAME=COMMAND   how to start docker, buildah, crane or skopeo where it is not simply its name
  --json FILE           also write every single time

Tools that are not installed are left out. Runs alternate between the tools. Ratios above 1: strake is faster.
`;

const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string", short: "n", default: "5" },
    tool: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (flags.help) process.stdout.write(HELP);
else process.exitCode = await main();

async function main() {
  const names = flags.only?.split(",");
  const chosen = WORKLOADS.filter(({ name }) => names === undefined || names.includes(name));
  const tools = await findTools(Object.fromEntries(flags.tool.map((text) => text.split(/=(.*)/s, 2))));
  const folder = mkdtempSync(join(tmpdir(), "strake-bench-"));
  const registry = await startRegistry(join(folder, "registry"));
  const results = [];
  try {
    const machine = describeMachine(tools);
    console.log(`${machine}\n\n${TABLE_HEAD}`);
    const base = await makeBase({ folder, registry, tools });
    for (const workload of chosen) {
      const lab = {
        folder: join(folder, workload.name),
        inputs: join(folder, "inputs"),
        registry: registry.address,
        base,
        tools,
      };
      mkdirSync(lab.folder);
      const result = await runWorkload(workload, lab, Number(flags.runs));
      rmSync(lab.folder, { recursive: true, force: true });
      results.push(result);
      console.log(formatRow(result));
    }
    if (flags.json !== undefined)
      writeFileSync(flags.json, `${JSON.stringify({ machine, results }, undefined, 1)}\n`);
  } finally {
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return results.some((result) => result.tools.strake?.error !== undefined) ? 1 : 0;
}

/** One warm-up, then `runs` measured rounds; each round runs every tool once. A tool that fails is out from there on. */
async function runWorkload(workload, lab, runs) {
  const names = ["strake", ...workload.peers].filter((name) => lab.tools[name]?.missing === undefined);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  const errors = {};
  const begun = await workload.begin(lab);
  for (let round = 0; round <= runs; round++) {
    for (const name of names.filter((candidate) => errors[candidate] === undefined)) {
      try {
        const job = await begun.prepare(name, round);
        const sample = await measure(job.argv, { cwd: job.cwd ?? lab.folder, env: job.env ?? {} });
        await job.after?.();
        if (round > 0) samples[name].push(sample);
      } catch (error) {
        errors[name] = error.message;
      }
    }
  }
  await forgetImages(lab, names, [...(begun.tags ?? []), lab.base]);
  return summarize(workload, samples, errors);
}
