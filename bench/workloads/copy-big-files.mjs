import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildJob, removeJob, unique } from "../lib/commands.mjs";
import { bigFiles } from "../lib/inputs.mjs";
import { execute } from "../lib/measure.mjs";

/** One layer of 600 MB. */
export const copyBigFiles = {
  name: "copy-big-files",
  title: "COPY of 600 MB",
  peers: ["docker", "buildah"],
  async begin(lab) {
    const big = writeBigContext(lab);
    return {
      prepare(tool) {
        big.change();
        const tag = "bench-big";
        const job = buildJob(lab, tool, { context: big.context, tag });
        return { ...job, after: () => execute(removeJob(lab, tool, tag).argv, { env: job.env }) };
      },
    };
  },
};

/** A context whose one COPY makes a layer of 600 MB, another one after each `change()`. */
export function writeBigContext(lab) {
  const context = bigFiles(join(lab.inputs, "big"));
  writeFileSync(join(context, "Dockerfile"), `FROM ${lab.base}\nCOPY *.bin changed /data/\n`);
  return { context, change: () => writeFileSync(join(context, "changed"), unique()) };
}
