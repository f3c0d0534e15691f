import { existsSync } from "node:fs";
import {
  type BuildRecord,
  listBuilds,
  RecordPaths,
  readSteps,
  type StepRecord,
} from "../../builder/records/index.ts";
import { formatBuildTable } from "../builds/build-table.ts";
import { findBuild } from "../builds/find-build.ts";
import { printLog, printSteps } from "../builds/print-log.ts";
import { type CommandContext, defineCommand } from "../command.ts";
import { CliError, usageError } from "../error.ts";

/** A step's number, as progress shows it. Builds are named by at least four digits. */
const STEP = /^#?(\d{1,3})$/;

export const logs = defineCommand({
  operands: "[BUILD] [STEP]",
  count: { min: 0, max: 2 },
  details: [
    "BUILD is the ID of a build or the beginning of it, or ^1 for the one before the last, ^2 for the one before that; the last " +
      "when absent. STEP is a number as progress shows it, #5 or 5.",
    "The newest 100 builds are remembered, with up to 1 GiB of logs.",
  ],
  options: {
    list: { type: "boolean", short: "l", summary: "The builds that are remembered" },
    failed: { type: "boolean", summary: "Only steps that failed" },
    quiet: { type: "boolean", short: "q", summary: "With --list: only IDs" },
    json: {
      type: "boolean",
      summary: "Builds or steps as JSON, without what they printed but with the files that hold it",
    },
  },
  examples: [
    { command: "strake logs", summary: "All that the last build's steps printed" },
    { command: "strake logs 5", summary: "All that step #5 of it printed, and nothing else" },
    { command: "strake logs --failed ^1", summary: "The step at which the build before the last failed" },
  ],
  async run({ options, positionals }, context) {
    if (options.list) {
      if (positionals.length > 0)
        throw usageError("Cannot list one build", "Leave --list out to see its log");
      printBuilds(options, context);
      return undefined;
    }
    const [buildName, stepName] = readOperands(positionals);
    const { storeRoot } = context.settings;
    const build = findBuild(buildName, context);
    const paths = new RecordPaths(storeRoot, build.id);
    const steps = readSteps(storeRoot, build).filter(
      ({ number, outcome }) =>
        (stepName === undefined || number === stepName) && (!options.failed || outcome === "failed"),
    );
    if (stepName !== undefined && steps.length === 0) throw missingStep(build, stepName, context);
    if (options.json) {
      context.stdout.write(`${JSON.stringify(describe(build, steps, paths), null, 2)}\n`);
    } else if (stepName !== undefined && steps[0] !== undefined) {
      await printLog(steps[0], paths, context);
    } else {
      await printSteps(steps, paths, context);
    }
    return undefined;
  },
});

function readOperands(positionals: readonly string[]): readonly [string | undefined, number | undefined] {
  const [first, second] = positionals;
  const step = (text: string | undefined): number | undefined => {
    const match = text === undefined ? null : STEP.exec(text);
    return match === null ? undefined : Number(match[1]);
  };
  if (second === undefined) {
    const alone = step(first);
    return alone === undefined ? [first, undefined] : [undefined, alone];
  }
  const number = step(second);
  if (number === undefined) throw usageError(`Cannot read step "${second}": it is a number`);
  return [first, number];
}

function printBuilds(
  { quiet, json }: { readonly quiet: boolean; readonly json: boolean },
  { stdout, settings: { storeRoot }, now }: CommandContext,
): void {
  const builds = listBuilds(storeRoot);
  if (json) stdout.write(`${JSON.stringify(builds, null, 2)}\n`);
  else if (quiet) stdout.write(builds.map(({ id }) => `${id}\n`).join(""));
  else stdout.write(formatBuildTable(builds, { storeRoot, now: now() }));
}

function describe(build: BuildRecord, steps: readonly StepRecord[], paths: RecordPaths): object {
  return {
    ...build,
    steps: steps.map((step) => {
      const log = paths.log(step.number);
      return existsSync(log) ? { ...step, log } : step;
    }),
  };
}

function missingStep(
  build: BuildRecord,
  wanted: number,
  { settings: { storeRoot } }: Pick<CommandContext, "settings">,
): CliError {
  const count = readSteps(storeRoot, build).length;
  return new CliError("BUILD_NOT_FOUND", `Cannot find step ${wanted} of build ${build.id}`, {
    hint: `It has ${count} ${count === 1 ? "step" : "steps"}: strake logs ${build.id} --json lists them`,
  });
}
