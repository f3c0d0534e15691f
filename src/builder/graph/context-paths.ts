import { inputsOf, type StateVertex, type Vertex } from "./vertex.ts";

/** What the steps that lead to `results` take of each context: paths, perhaps with wildcards, by the context vertex's id. */
export function contextPaths(results: readonly StateVertex[]): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, string[]>();
  const visited = new Set<string>();
  const note = (from: Vertex | undefined, path: string): void => {
    if (from?.kind !== "context") return;
    const known = paths.get(from.id);
    if (known === undefined) paths.set(from.id, [path]);
    else known.push(path);
  };
  const visit = (vertex: Vertex): void => {
    if (visited.has(vertex.id)) return;
    visited.add(vertex.id);
    if (vertex.kind === "copy") {
      for (const source of vertex.sources)
        if (source.kind === "tree") note(source.from, `${source.path}/${source.parentsPattern ?? ""}`);
    } else if (vertex.kind === "exec") {
      for (const mount of vertex.mounts)
        if (mount.kind === "bind" || mount.kind === "cache") note(mount.from, mount.source);
    }
    for (const input of inputsOf(vertex)) visit(input);
  };
  for (const result of results) visit(result);
  return paths;
}
