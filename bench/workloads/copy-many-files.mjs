import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildJob, unique } from "../lib/commands.mjs";
import { manyFiles } from "../lib/inputs.mjs";

const TAG = "bench-many";

/** A context of 20,000 files, one of them new each time. */
export const copyManyFiles = {
  name: "copy-many-files",
  title: "COPY of 20,000 files, one changed",
  peers: ["docker", "buildah"],
  async begin(lab) {
    const context = join(lab.folder, "context");
    mkdirSync(context);
    cpSync(manyFiles(join(lab.inputs, "many")), join(context, "src"), { recursive: true });
    writeFileSync(join(context, "Dockerfile"), `FROM ${lab.base}\nCOPY src /app/src\n`);
    return {
      tags: [TAG],
      prepare(tool) {
        writeFileSync(join(context, "src/d0/e0/changed.js"), unique());
        return buildJob(lab, tool, { context, tag: TAG });
      },
    };
  },
};
