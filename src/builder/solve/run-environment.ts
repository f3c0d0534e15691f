import type { ExecVertex } from "../graph/vertex.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The environment of a RUN: the image's, with PATH and HOME made sure of, proxies, and what mounts add. */
export function environmentWith(
  vertex: Pick<ExecVertex, "env" | "proxyEnv">,
  home: string,
  added: readonly string[],
): readonly string[] {
  const names = new Set(vertex.env.map((entry) => entry.slice(0, entry.indexOf("="))));
  const defaults = [
    ...(names.has("PATH") ? [] : [`PATH=${DEFAULT_PATH}`]),
    ...(names.has("HOME") ? [] : [`HOME=${home}`]),
  ];
  const proxies = vertex.proxyEnv.filter((entry) => !names.has(entry.slice(0, entry.indexOf("="))));
  return [...vertex.env, ...defaults, ...proxies, ...added];
}
