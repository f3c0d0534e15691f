import { join } from "node:path";
import { unique } from "../lib/commands.mjs";
import { execute } from "../lib/measure.mjs";
import { writeBigContext } from "./copy-big-files.mjs";
import { pushUnseen } from "./pull-image.mjs";

/**
 * OCI layout to a repository that has none of it, nothing compressed: upload. Without skopeo, which remembers where the
 * blobs were and mounts them.
 */
export const pushReady = {
  name: "push-ready",
  title: "Push of 600 MB out of an OCI layout",
  peers: ["crane"],
  async begin(lab) {
    const layout = join(lab.folder, "ready");
    const tag = await pushUnseen(lab, writeBigContext(lab));
    await execute([...lab.tools.strake.command, "copy", "-q", tag, `oci:${layout}:1`], {});
    return {
      prepare(tool) {
        const target = `${lab.registry}/bench/ready-${unique()}:1`;
        const words = {
          strake: ["copy", "-q", `oci:${layout}:1`, target],
          crane: ["push", "--insecure", layout, target],
        }[tool];
        return { argv: [...lab.tools[tool].command, ...words], env: {} };
      },
    };
  },
};
