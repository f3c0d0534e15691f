import { createHash } from "node:crypto";
import type {
  ContextVertex,
  CopyVertex,
  ExecVertex,
  ImageVertex,
  ScratchVertex,
  WorkdirVertex,
} from "./vertex.ts";
import { inputsOf, type Vertex } from "./vertex.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

/** What is needed to make a vertex: all but the id, which follows from it. */
export type VertexSpec = WithoutId<
  ContextVertex | CopyVertex | ExecVertex | ImageVertex | ScratchVertex | WorkdirVertex
>;

/** Makes vertices, giving back the one there is when the same operation on the same inputs is asked for again. */
export class GraphBuilder {
  readonly #vertices = new Map<string, Vertex>();

  add<Spec extends VertexSpec>(spec: Spec): Extract<Vertex, { readonly kind: Spec["kind"] }> {
    const id = vertexId(spec as WithoutId<Vertex>);
    let vertex = this.#vertices.get(id);
    if (vertex === undefined) {
      vertex = { ...spec, id } as unknown as Vertex;
      this.#vertices.set(id, vertex);
    }
    return vertex as Extract<Vertex, { readonly kind: Spec["kind"] }>;
  }
}

/** Name and place are how a step is shown, not what it does; inputs count by their ids. */
function vertexId(spec: WithoutId<Vertex>): string {
  const inputs = new Set(inputsOf(spec as Vertex).map((vertex) => vertex.id));
  const text = JSON.stringify({ ...spec, name: undefined, at: undefined }, (_key, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
    if (isVertex(value) && inputs.has(value.id)) return value.id;
    return value;
  });
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function isVertex(value: unknown): value is Vertex {
  return typeof value === "object" && value !== null && "id" in value && "kind" in value && "name" in value;
}
