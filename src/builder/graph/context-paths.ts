import { type CopySource, inputsOf, type StateVertex, type Vertex } from "./vertex.ts";

/** What a COPY takes of one place: paths, perhaps with wildcards. */
export function pathsOf(sources: readonly CopySource[], from: Vertex): readonly string[] {
  return sources.flatMap((source) =>
    source.kind === "tree" && source.from.id === from.id
      ? [`${source.path}/${source.parentsPattern ?? ""}`]
      : [],
  );
}

/**
 * What the steps that lead to `results` take of the build's own context, by the context vertex's id: for that, Docker gathers
 * what all steps ask for. Of a named context each step gets its own part.
 */
export function contextPaths(results: readonly StateVertex[]): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, string[]>();
  const visited = new Set<string>();
  const note = (from: Vertex, added: readonly string[]): void => {
    if (from.kind === "context") paths.set(from.id, [...(paths.get(from.id) ?? []), ...added]);
  };
  const visit = (vertex: Vertex): void => {
    if (visited.has(vertex.id)) return;
    visited.add(vertex.id);
    if (vertex.kind === "copy") {
      for (const input of inputsOf(vertex)) note(input, pathsOf(vertex.sources, input));
    } else if (vertex.kind === "exec") {
      for (const mount of vertex.mounts)
        if ((mount.kind === "bind" || mount.kind === "cache") && mount.from !== undefined)
          note(mount.from, [mount.source]);
    }
    for (const input of inputsOf(vertex)) visit(input);
  };
  for (const result of results) visit(result);
  return paths;
}
