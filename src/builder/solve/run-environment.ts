import type { ExecVertex } from "../graph/vertex.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The environment of a RUN: the image's, with PATH and HOME made sure of, proxies, and what mounts add. Of entries with one name the
 * last counts: a proxy that is given for the build goes before the image's own.
 */
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
  return [...vertex.env, ...defaults, ...vertex.proxyEnv, ...added];
}
