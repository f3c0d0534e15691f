import { buildJob } from "../lib/commands.mjs";
import { writeSteps } from "./run-steps.mjs";

const TAG = "bench-cached";

/** A build in which nothing changed: what a developer waits for most often. */
export const cachedRebuild = {
  name: "cached-rebuild",
  title: "Rebuild of 20 cached steps",
  peers: ["docker", "buildah"],
  async begin(lab) {
    const context = writeSteps(lab);
    return {
      tags: [TAG],
      // The first round, which does not count, fills each tool's cache.
      prepare: (tool) => buildJob(lab, tool, { context, tag: TAG, args: ["BUST=fixed"] }),
    };
  },
};
