import { rmSync } from "node:fs";
import { join } from "node:path";
import { buildJob, removeJob, unique } from "../lib/commands.mjs";
import { execute } from "../lib/measure.mjs";
import { writeBigContext } from "./copy-big-files.mjs";

/** A layer of 600 MB that the tool has never seen: download, check and unpack. */
export const pullImage = {
  name: "pull-image",
  title: "Pull of 600 MB, unpacked",
  peers: ["docker", "buildah"],
  async begin(lab) {
    const big = writeBigContext(lab);
    return {
      async prepare(tool) {
        const tag = await pushUnseen(lab, big);
        const words = {
          strake: ["pull", "-q", "--unpack"],
          docker: ["pull", "-q"],
          buildah: ["pull", "-q", "--tls-verify=false"],
        }[tool];
        const store = join(lab.folder, "pull-store");
        const env = { STRAKE_ROOT: store };
        const after = async () => {
          rmSync(store, { recursive: true, force: true });
          if (tool !== "strake") await execute(removeJob(lab, tool, tag).argv, { env });
        };
        return { argv: [...lab.tools[tool].command, ...words, tag], env, after };
      },
    };
  },
};

/** Puts an image with a new layer of 600 MB into the registry, by way of a store that is gone afterwards. */
export async function pushUnseen(lab, big) {
  big.change();
  const tag = `${lab.registry}/bench/pull-${unique()}:1`;
  const build = buildJob(lab, "strake", { context: big.context, tag });
  await execute([...build.argv.slice(0, -1), "--push", big.context], build);
  rmSync(build.env.STRAKE_ROOT, { recursive: true, force: true });
  return tag;
}
