import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildJob, unique } from "../lib/commands.mjs";

const TAG = "bench-run";

const STEPS = 20;

/** Steps that do next to nothing: the cost of a container and of taking its changes. */
export const runSteps = {
  name: "run-steps",
  title: "20 trivial RUN steps, not cached",
  peers: ["docker", "buildah"],
  async begin(lab) {
    const context = writeSteps(lab);
    return {
      tags: [TAG],
      prepare: (tool) => buildJob(lab, tool, { context, tag: TAG, args: [`BUST=${unique()}`] }),
    };
  },
};

/** A Dockerfile of 20 steps, all of which depend on the build argument BUST. Returns the context. */
export function writeSteps(lab) {
  const context = join(lab.folder, "context");
  mkdirSync(context);
  const steps = Array.from({ length: STEPS }, (_, step) => `RUN echo ${step} $BUST > /f${step}\n`);
  writeFileSync(join(context, "Dockerfile"), `FROM ${lab.base}\nARG BUST\n${steps.join("")}`);
  return context;
}
