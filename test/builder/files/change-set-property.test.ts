import fc from "fast-check";
import { expect, test } from "vitest";
import { ChangeSet } from "../../../src/builder/files/change-set.ts";
import { parentPath } from "../../../src/builder/files/path.ts";
import { canonicalEntries } from "../../../src/store/layers/canonical.ts";
import { bytes, MemoryTree } from "./support.ts";

const PATHS = ["a", "b", "a/a", "a/b", "a/a/a", "a/a/b", "b/a", "b/a/a"];

type State = Map<string, "file" | "dir">;

interface Step {
  readonly act: "file" | "dir" | "remove" | "touch";
  readonly path: string;
}

const LOWER: State = new Map([
  ["a", "dir"],
  ["a/a", "dir"],
  ["a/a/a", "file"],
  ["a/b", "file"],
  ["b", "file"],
]);

function lower(): MemoryTree {
  return new MemoryTree(Object.fromEntries([...LOWER].map(([path, kind]) => [path, { kind }])));
}

function removeFrom(state: State, path: string): void {
  for (const name of [...state.keys()]) if (name === path || name.startsWith(`${path}/`)) state.delete(name);
}

/** The same step on a plain list of paths; false when it makes no sense there. */
function model(state: State, { act, path }: Step): boolean {
  const parent = parentPath(path);
  if (act === "remove") {
    removeFrom(state, path);
    return true;
  }
  if (act === "touch") return state.has(path);
  if ((parent !== "" && state.get(parent) !== "dir") || state.get(path) === "dir") return false;
  state.set(path, act);
  return true;
}

function apply(changes: ChangeSet, { act, path }: Step): void {
  const attributes = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0, size: 0 };
  const content = { kind: "bytes", bytes: new Uint8Array(0) } as const;
  if (act === "remove") changes.remove(bytes(path));
  else if (act === "touch") changes.edit(bytes(path));
  else if (act === "dir") changes.put(bytes(path), { kind: "dir", ...attributes });
  else changes.put(bytes(path), { kind: "file", ...attributes, content });
}

/** What a reader of the layer makes of the lower state. */
function flatten(changes: ChangeSet): State {
  const state: State = new Map(LOWER);
  const entries = canonicalEntries(changes.toEntries());
  for (const { kind, path } of entries) {
    if (kind === "whiteout") removeFrom(state, path);
    if (kind === "opaque")
      for (const name of [...state.keys()]) if (name.startsWith(`${path}/`)) state.delete(name);
  }
  for (const { kind, path } of entries) {
    if (kind !== "dir" && kind !== "file") continue;
    if (kind === "file" || state.get(path) === "file") removeFrom(state, path);
    state.set(path, kind);
  }
  return state;
}

function look(changes: ChangeSet): State {
  const state: State = new Map();
  const walk = (folder: string): void => {
    for (const name of changes.readdir(bytes(folder))) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const kind = changes.lstat(bytes(path))?.kind;
      state.set(path, kind === "dir" ? "dir" : "file");
      if (kind === "dir") walk(path);
    }
  };
  walk("");
  return state;
}

const sorted = (state: State) => [...state].sort(([a], [b]) => (a < b ? -1 : 1));

test("whatever is done, a look at it and a reader of the layer see the same", () => {
  const step = fc.record({
    act: fc.constantFrom("file", "dir", "remove", "touch" as const),
    path: fc.constantFrom(...PATHS),
  }) as fc.Arbitrary<Step>;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const changes = new ChangeSet(lower());
      const state: State = new Map(LOWER);
      for (const each of steps) if (model(state, each)) apply(changes, each);
      expect(sorted(look(changes))).toEqual(sorted(state));
      expect(sorted(flatten(changes))).toEqual(sorted(state));
    }),
    { numRuns: 500 },
  );
});
