import { rmSync } from "node:fs";
import { join } from "node:path";
import { writeBigContext } from "./copy-big-files.mjs";
import { pushUnseen } from "./pull-image.mjs";

/** Registry to OCI layout, nothing unpacked: download and check. */
export const fetchImage = {
  name: "fetch-image",
  title: "Download of 600 MB into an OCI layout",
  peers: ["crane", "skopeo"],
  async begin(lab) {
    const tag = await pushUnseen(lab, writeBigContext(lab));
    return {
      prepare(tool) {
        const layout = join(lab.folder, `layout-${tool}`);
        rmSync(layout, { recursive: true, force: true });
        const words = {
          strake: ["copy", "-q", tag, `oci:${layout}:1`],
          crane: ["pull", "--insecure", "--format", "oci", tag, layout],
          skopeo: [
            "--insecure-policy",
            "copy",
            "-q",
            "--src-tls-verify=false",
            `docker://${tag}`,
            `oci:${layout}:1`,
          ],
        }[tool];
        return { argv: [...lab.tools[tool].command, ...words], env: {} };
      },
    };
  },
};
