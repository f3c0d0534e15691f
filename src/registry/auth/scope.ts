/** What a token allows: actions on one resource. */
export interface Scope {
  readonly type: string;
  /** May hold colons. */
  readonly name: string;
  readonly actions: readonly string[];
}

/** `repository:NAME:actions`. */
export function repositoryScope(repository: string, ...actions: readonly string[]): Scope {
  return { type: "repository", name: repository, actions };
}

/** The scope for listing the repositories of a registry. */
export const CATALOG_SCOPE: Scope = { type: "registry", name: "catalog", actions: ["*"] };

/** Reads `type:name:action,action`. The type ends at the first colon, the actions start after the last. */
export function parseScope(text: string): Scope | undefined {
  const first = text.indexOf(":");
  const last = text.lastIndexOf(":");
  if (first <= 0 || last <= first) return undefined;
  const actions = text
    .slice(last + 1)
    .split(",")
    .filter((action) => action !== "");
  return { type: text.slice(0, first), name: text.slice(first + 1, last), actions };
}

/** Reads a challenge's `scope`: any number of scopes with spaces between. */
export function parseScopes(text: string): readonly Scope[] {
  return text.split(" ").flatMap((part) => parseScope(part) ?? []);
}

/** Actions in the order that registries write them, so that equal scopes are equal texts. */
export function formatScope({ type, name, actions }: Scope): string {
  return `${type}:${name}:${sortActions(actions).join(",")}`;
}

/** One scope for each resource, in order of first mention: some registries read only the first. */
export function mergeScopes(scopes: readonly Scope[]): readonly Scope[] {
  const merged = new Map<string, Scope>();
  for (const scope of scopes) {
    const key = `${scope.type}:${scope.name}`;
    const known = merged.get(key);
    merged.set(key, { ...scope, actions: sortActions([...(known?.actions ?? []), ...scope.actions]) });
  }
  return [...merged.values()];
}

/** Whether a token for `granted` serves for `needed`. */
export function coversScopes(granted: readonly Scope[], needed: readonly Scope[]): boolean {
  return needed.every((need) =>
    granted.some(
      (have) =>
        have.type === need.type &&
        have.name === need.name &&
        (have.actions.includes("*") || need.actions.every((action) => have.actions.includes(action))),
    ),
  );
}

/** Whether nothing but reading is asked for. */
export function isReadOnly(scopes: readonly Scope[]): boolean {
  return scopes.every(({ actions }) => actions.every((action) => action === "pull"));
}

/** Whether something of a repository is to be changed. */
export function isWrite(scopes: readonly Scope[]): boolean {
  return scopes.some(({ actions }) => actions.includes("push") || actions.includes("delete"));
}

const ORDER = ["pull", "push", "delete"];

function sortActions(actions: readonly string[]): readonly string[] {
  const unique = [...new Set(actions)];
  if (unique.includes("*")) return ["*"];
  const place = (action: string): number => (ORDER.includes(action) ? ORDER.indexOf(action) : ORDER.length);
  return unique.sort((a, b) => place(a) - place(b));
}
