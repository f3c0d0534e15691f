import { nearest } from "../../util/nearest.ts";
import { DockerfileError } from "../error.ts";
import { splitCsv } from "./csv.ts";
import { parseByteSize, parseGoBoolean, parseUint32 } from "./go-values.ts";

export type MountType = "bind" | "cache" | "tmpfs" | "secret" | "ssh";
export type CacheSharing = "shared" | "private" | "locked";

/** One `--mount` of a RUN. What was not given (or given empty) is undefined. */
export interface RunMount {
  readonly type: MountType;
  readonly from: string | undefined;
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly readonly: boolean;
  readonly sizeBytes: number | undefined;
  readonly id: string | undefined;
  readonly sharing: CacheSharing | undefined;
  readonly required: boolean;
  /** The variable a secret goes to; "" for the one named like the secret. */
  readonly env: string | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

const TYPES: readonly MountType[] = ["bind", "cache", "tmpfs", "secret", "ssh"];
const SHARING: readonly CacheSharing[] = ["shared", "private", "locked"];
const KEYS =
  "type from source target readonly id sharing required size mode uid gid src dst destination ro rw readwrite env".split(
    " ",
  );

type Draft = { -readonly [K in keyof RunMount]: RunMount[K] } & { isReadonlyGiven: boolean };

/**
 * Evaluates the `--mount` values of a RUN: variables are expanded by `expand`, key by key, in the order they are written.
 *
 * @param expand may throw; a RUN's words are expanded with its stage's variables
 * @throws {DockerfileError} BAD_MOUNT, without a place
 */
export function parseRunMounts(
  flagValues: readonly string[],
  expand: (word: string) => string,
): readonly RunMount[] {
  return flagValues.map((value) => parseRunMount(value, expand));
}

function parseRunMount(flagValue: string, expand: (word: string) => string): RunMount {
  const draft: Draft = {
    type: "bind",
    from: undefined,
    source: undefined,
    target: undefined,
    readonly: false,
    sizeBytes: undefined,
    id: undefined,
    sharing: undefined,
    required: false,
    env: undefined,
    mode: undefined,
    uid: undefined,
    gid: undefined,
    isReadonlyGiven: false,
  };
  for (const field of mountFields(flagValue)) {
    const equals = field.indexOf("=");
    if (equals === -1) applyBareKey(draft, field);
    else applyKey(draft, field.slice(0, equals).toLowerCase(), expand(field.slice(equals + 1)), field);
  }
  checkTogether(draft);
  const { isReadonlyGiven, ...mount } = draft;
  if (!isReadonlyGiven) mount.readonly = mount.type !== "cache" && mount.type !== "tmpfs";
  return mount;
}

/**
 * What each mount of a RUN takes its files from, before variables are known; undefined for none.
 * Values that can't be a mount at all are refused.
 * @throws {DockerfileError} BAD_MOUNT, without a place
 */
export function mountSources(flagValues: readonly string[]): readonly (string | undefined)[] {
  return flagValues.map((flagValue) => {
    let from: string | undefined;
    for (const field of mountFields(flagValue)) {
      const equals = field.indexOf("=");
      if (equals === -1 || field.slice(0, equals).toLowerCase() !== "from") continue;
      const value = field.slice(equals + 1);
      const dollar = value.indexOf("$");
      if (dollar !== -1 && dollar !== value.length - 1) {
        throw bad(
          "'from' doesn't support variable expansion, define alias stage instead",
          `Write FROM ${value} AS NAME above, and from=NAME here`,
        );
      }
      from = value;
    }
    return from === "" ? undefined : from;
  });
}

function mountFields(flagValue: string): readonly string[] {
  const fields = splitCsv(flagValue);
  if (typeof fields === "string") {
    throw bad(
      `failed to parse csv mounts: ${fields}`,
      "Write --mount=type=TYPE,target=PATH,…: keys and values with commas between",
    );
  }
  return fields;
}

function applyBareKey(draft: Draft, field: string): void {
  switch (field.toLowerCase()) {
    case "readonly":
    case "ro":
      draft.readonly = true;
      draft.isReadonlyGiven = true;
      return;
    case "readwrite":
    case "rw":
      draft.readonly = false;
      draft.isReadonlyGiven = true;
      return;
    case "required":
      requireType(draft, "required", ["secret", "ssh"]);
      draft.required = true;
      return;
    default:
      throw bad(
        `invalid field '${field}' must be a key=value pair`,
        `Keys are ${KEYS.slice(0, 12).join(", ")} and env`,
      );
  }
}

function applyKey(draft: Draft, key: string, value: string, field: string): void {
  switch (key) {
    case "type":
      draft.type = oneOf(value, TYPES, `unsupported mount type ${JSON.stringify(value)}`);
      return;
    case "sharing":
      draft.sharing = oneOf(value, SHARING, `unsupported sharing value ${JSON.stringify(value)}`);
      return;
    case "from":
    case "source":
    case "id":
      draft[key] = value || undefined;
      return;
    case "src":
      draft.source = value || undefined;
      return;
    case "target":
    case "dst":
    case "destination":
      draft.target = value || undefined;
      return;
    case "readonly":
    case "ro":
      draft.readonly = valid(parseGoBoolean(value), `invalid value for ${key}: ${value}`);
      draft.isReadonlyGiven = true;
      return;
    case "readwrite":
    case "rw":
      draft.readonly = !valid(parseGoBoolean(value), `invalid value for ${key}: ${value}`);
      draft.isReadonlyGiven = true;
      return;
    case "required":
      requireType(draft, key, ["secret", "ssh"]);
      draft.required = valid(parseGoBoolean(value), `invalid value for ${key}: ${value}`);
      return;
    case "size":
      requireType(draft, key, ["tmpfs"]);
      draft.sizeBytes = valid(parseByteSize(value), `invalid value for ${key}: ${value}`) || undefined;
      return;
    case "mode":
      draft.mode = valid(parseUint32(value, 8), `invalid value ${value} for mode`);
      return;
    case "uid":
    case "gid":
      draft[key] = valid(parseUint32(value, 10), `invalid value ${value} for ${key}`);
      return;
    case "env":
      draft.env = value;
      return;
    default: {
      const close = nearest(key, KEYS);
      throw bad(
        `unexpected key '${key}' in '${field}'`,
        close === undefined ? `Keys are ${KEYS.slice(0, 12).join(", ")} and env` : `Did you mean ${close}?`,
      );
    }
  }
}

/** Rules between keys; a key's order matters only where its type is asked for right away. */
function checkTogether(draft: Draft): void {
  const { type } = draft;
  if (type === "bind" || type === "tmpfs") {
    for (const key of ["mode", "uid", "gid"] as const) {
      if (draft[key] !== undefined) throw bad(`${key} not allowed for "${type}" type mounts`);
    }
  }
  if (type === "secret") {
    if (draft.from !== undefined) throw bad("secret mount should not have a from");
    if (draft.sharing !== undefined) throw bad("secret mount should not define sharing");
    if (draft.source === undefined && draft.target === undefined && draft.id === undefined) {
      throw bad("invalid secret mount. one of source, target required", "Write --mount=type=secret,id=NAME");
    }
    if (draft.source !== undefined && draft.id !== undefined) throw bad("both source and id can't be set");
  }
  if (draft.sharing !== undefined && type !== "cache")
    throw bad(`invalid cache sharing set for ${type} mount`);
}

function requireType(draft: Draft, key: string, types: readonly MountType[]): void {
  if (types.includes(draft.type)) return;
  throw bad(
    `unexpected key '${key}' for mount type '${draft.type}'`,
    `${key} is for ${types.join(" and ")} mounts, and type= must stand in front of it`,
  );
}

function oneOf<T extends string>(value: string, allowed: readonly T[], reason: string): T {
  const found = allowed.find((candidate) => candidate === value.toLowerCase());
  if (found !== undefined) return found;
  const close = nearest(value, allowed);
  throw bad(reason, close === undefined ? `Known are ${allowed.join(", ")}` : `Did you mean ${close}?`);
}

function valid<T>(value: T | undefined, reason: string): T {
  if (value === undefined) throw bad(reason);
  return value;
}

function bad(reason: string, hint?: string): DockerfileError {
  return new DockerfileError("BAD_MOUNT", reason, { hint });
}
