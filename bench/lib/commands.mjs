import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { execute } from "./measure.mjs";

/** A text that no earlier run used, for a build argument or a file that has to miss the cache. */
export const unique = () => randomUUID();

/** The store that strake uses in a workload. Its own, so that what one workload leaves doesn't help the next. */
export function strakeEnv(lab) {
  return { STRAKE_ROOT: join(lab.folder, "store") };
}

/** `build` of a folder in the tool's own words. */
export function buildJob(lab, tool, { context, tag, args = [] }) {
  const words = {
    strake: ["build", "-q", "--network", "host"],
    docker: ["build", "-q", "--network", "host"],
    buildah: ["build", "-q", "--layers", "--network", "host", "--tls-verify=false"],
  }[tool];
  const more = ["-t", tag, ...args.flatMap((text) => ["--build-arg", text])];
  return {
    argv: [...lab.tools[tool].command, ...words, ...more, context],
    env: strakeEnv(lab),
    cwd: context,
  };
}

export function pushJob(lab, tool, tag) {
  const words = {
    strake: ["push", "-q"],
    docker: ["push", "-q"],
    buildah: ["push", "-q", "--tls-verify=false"],
  }[tool];
  return { argv: [...lab.tools[tool].command, ...words, tag], env: strakeEnv(lab) };
}

/** Frees what a run left in a tool's own storage; strake's store goes with the workload's folder. */
export function removeJob(lab, tool, tag) {
  return { argv: [...lab.tools[tool].command, "rmi", tag], env: strakeEnv(lab) };
}

/** Takes names away from the peers that keep images; what they still hold then goes by their own collection. */
export async function forgetImages(lab, tools, tags) {
  for (const tool of tools.filter((name) => name === "docker" || name === "buildah")) {
    // A workload that failed may not have made them.
    for (const tag of tags) await execute(removeJob(lab, tool, tag).argv).catch(() => undefined);
  }
}
