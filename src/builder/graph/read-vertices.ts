import { inputsOf, type StateVertex, type Vertex } from "./vertex.ts";

/**
 * The ids of all vertices whose files are read while building `results`: what a RUN runs on, what a COPY or a mount
 * takes from, what a COPY or WORKDIR has to look at to know what is there already; with `areResultsRead` the results
 * themselves too. A layer that nobody reads need not be unpacked.
 */
export function readVertices(results: readonly StateVertex[], areResultsRead: boolean): ReadonlySet<string> {
  const read = new Set<string>();
  const visited = new Set<string>();
  const visit = (vertex: Vertex): void => {
    if (visited.has(vertex.id)) return;
    visited.add(vertex.id);
    for (const input of inputsOf(vertex)) {
      if (!isLinkedOnto(vertex, input)) markRead(input, read);
      visit(input);
    }
  };
  for (const result of results) {
    visit(result);
    if (areResultsRead) markRead(result, read);
  }
  return read;
}

/** Reading a state reads every layer that it is made of. */
function markRead(vertex: Vertex, read: Set<string>): void {
  for (let layer: Vertex | undefined = vertex; layer !== undefined && !read.has(layer.id); ) {
    read.add(layer.id);
    layer = "input" in layer ? layer.input : undefined;
  }
}

/** `COPY --link` does not look at what it lands on. */
function isLinkedOnto(vertex: Vertex, input: Vertex): boolean {
  if (vertex.kind !== "copy" || !vertex.link || vertex.input.id !== input.id) return false;
  return !vertex.sources.some((source) => source.kind === "tree" && source.from.id === input.id);
}
