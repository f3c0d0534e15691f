import { buildJob, pushJob, removeJob, unique } from "../lib/commands.mjs";
import { execute } from "../lib/measure.mjs";
import { writeBigContext } from "./copy-big-files.mjs";

/** A layer of 600 MB that the registry does not have: compression and upload. */
export const pushImage = {
  name: "push-image",
  title: "Push of 600 MB",
  peers: ["docker", "buildah"],
  async begin(lab) {
    const big = writeBigContext(lab);
    return {
      async prepare(tool) {
        big.change();
        const tag = `${lab.registry}/bench/push-${unique()}:1`;
        const build = buildJob(lab, tool, { context: big.context, tag });
        await execute(build.argv, build);
        const job = pushJob(lab, tool, tag);
        return { ...job, after: () => execute(removeJob(lab, tool, tag).argv, { env: job.env }) };
      },
    };
  },
};
