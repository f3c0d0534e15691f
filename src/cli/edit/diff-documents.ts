import { isObject } from "../../util/is-object.ts";

/** One value that is not in both of two JSON documents. */
export interface Difference {
  /** Where it stands: `config.Env[2]`. */
  readonly path: string;
  /** Undefined for what is new. */
  readonly before?: unknown;
  /** Undefined for what is gone. */
  readonly after?: unknown;
}

/**
 * What differs between two JSON documents, in the order of the second, what is gone first. Lists are compared by what they have in
 * common at their beginning and end.
 */
export function diffDocuments(before: unknown, after: unknown, path: string = ""): readonly Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) =>
      diffDocuments(member(before, name), member(after, name), memberPath(path, name)),
    );
  }
  if (Array.isArray(before) && Array.isArray(after)) return diffLists(before, after, path);
  // A list or an object that is new, or gone, is told by its parts.
  if (before === undefined && isCollection(after)) return diffDocuments(emptyLike(after), after, path);
  if (after === undefined && isCollection(before)) return diffDocuments(before, emptyLike(before), path);
  return [
    {
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    },
  ];
}

function diffLists(
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
): readonly Difference[] {
  const [old, wanted] = [before, after].map((list) => list.map((item) => JSON.stringify(item))) as [
    string[],
    string[],
  ];
  let start = 0;
  while (start < Math.min(old.length, wanted.length) && old[start] === wanted[start]) start++;
  let end = 0;
  while (
    end < Math.min(old.length, wanted.length) - start &&
    old[old.length - 1 - end] === wanted[wanted.length - 1 - end]
  )
    end++;
  const gone = before.slice(start, before.length - end);
  const added = after.slice(start, after.length - end);
  return [
    ...gone.map((item, i) => ({ path: `${path}[${start + i}]`, before: item })),
    ...added.map((item, i) => ({ path: `${path}[${start + i}]`, after: item })),
  ];
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Labels may be called `constructor` too. */
function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function isCollection(value: unknown): value is JsonObject | readonly unknown[] {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function emptyLike(value: JsonObject | readonly unknown[]): unknown {
  return Array.isArray(value) ? [] : {};
}

function memberPath(path: string, name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return path === "" ? name : `${path}.${name}`;
  return `${path}[${JSON.stringify(name)}]`;
}
