import type { Ingredient } from "../../cache/index.ts";
import { digestOf } from "../../oci/index.ts";
import type { ContextVertex, ExecMount, ExecVertex, StateVertex } from "../graph/vertex.ts";
import type { MountPlace } from "./exec-mounts.ts";
import type { State } from "./state.ts";

/** How a RUN gets at what other vertices made. */
export interface MountInputs extends Omit<MountPlace<ContextVertex | StateVertex>, "caches"> {
  /** The state that a stage or image has. */
  readonly state: (vertex: StateVertex) => Promise<State>;
  /** What stands in a key for a part of a context. */
  readonly content: (vertex: ContextVertex, path: string) => Promise<Ingredient>;
}

/** The part of a RUN's cache key that its mounts make up. */
export async function mountIngredients(vertex: ExecVertex, inputs: MountInputs): Promise<Ingredient> {
  return Promise.all(vertex.mounts.map((mount) => mountIngredient(mount, inputs)));
}

async function mountIngredient(mount: ExecMount, inputs: MountInputs): Promise<Ingredient> {
  switch (mount.kind) {
    case "bind": {
      const content =
        mount.from.kind === "context"
          ? await inputs.content(mount.from, mount.source)
          : (await inputs.state(mount.from)).identity;
      return { kind: "bind", content, source: mount.source, target: mount.target, readonly: mount.readonly };
    }
    case "cache":
      return {
        kind: "cache",
        id: mount.cacheId,
        target: mount.target,
        readonly: mount.readonly,
        folder: mount.folder === undefined ? null : { ...mount.folder },
      };
    case "tmpfs":
      return { kind: "tmpfs", target: mount.target, sizeBytes: mount.sizeBytes ?? null };
    case "secret":
      return {
        kind: "secret",
        id: mount.secretId,
        target: mount.target ?? null,
        env: mount.env ?? null,
        ...fileIngredients(mount),
      };
    case "ssh":
      return { kind: "ssh", id: mount.sshId, target: mount.target ?? null, ...fileIngredients(mount) };
    case "script":
      return { kind: "script", name: mount.name, content: digestOf(mount.content) };
    default:
      return mount satisfies never;
  }
}

/** A step that can see a file otherwise, or must have it now, is another step. The content of a secret is no part of it. */
function fileIngredients(mount: ExecMount & { readonly kind: "secret" | "ssh" }): {
  readonly [name: string]: Ingredient;
} {
  const { required, uid, gid, mode } = mount;
  return { required, uid, gid, mode };
}
