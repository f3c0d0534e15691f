import type { Healthcheck, HistoryEntry, ImageConfig, RuntimeConfig } from "./image-config.ts";
import {
  asArray,
  asDigest,
  asObject,
  asString,
  asStringMap,
  asStrings,
  invalid,
  isAbsent,
  type JsonObject,
  type Located,
  member,
  parseJsonObject,
  wrongType,
} from "./json-shape.ts";

/** Image configs past this are refused; long histories and labels stay far below. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
const MAX_LAYERS = 10_000;
const WHAT = "image config";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Decodes an image config. Absent and null members are left out, and so are members that no runtime reads any more
 * (`container_config`, `docker_version`, …): the result can be spread into a new config.
 * @throws {OciError} DOCUMENT_INVALID, naming the member that is wrong
 */
export function decodeImageConfig(content: Uint8Array): ImageConfig {
  const object = parseJsonObject(content, { what: WHAT, maxBytes: MAX_CONFIG_BYTES });
  const text = (name: string): string => optionalText(member(object, name)) ?? "";
  const rootfs = asObject(member(object, "rootfs"), WHAT);
  const type = member(rootfs, "type", "rootfs");
  if (type.value !== "layers")
    throw invalid(WHAT, `"rootfs.type" is ${JSON.stringify(type.value)}, not "layers"`);
  const diffIds = member(rootfs, "diff_ids", "rootfs");
  const config = member(object, "config");
  const history = member(object, "history");
  const features = member(object, "os.features");
  return {
    ...optional("created", text("created")),
    ...optional("author", text("author")),
    // Images of Docker before 1.10 may lack both; what they hold is this.
    architecture: text("architecture") || "amd64",
    os: text("os") || "linux",
    ...optional("variant", text("variant")),
    ...optional("os.version", text("os.version")),
    ...(isAbsent(features) ? {} : { "os.features": asStrings(features, WHAT) }),
    ...(isAbsent(config) ? {} : { config: runtimeConfigFrom(config) }),
    rootfs: {
      type: "layers",
      diff_ids: isAbsent(diffIds)
        ? []
        : asArray(diffIds, WHAT, MAX_LAYERS).map((item) => asDigest(item, WHAT)),
    },
    ...(isAbsent(history) ? {} : { history: asArray(history, WHAT, MAX_LAYERS).map(historyFrom) }),
  };
}

function runtimeConfigFrom(located: Located): RuntimeConfig {
  const object = asObject(located, WHAT);
  const at = (name: string): Located => member(object, name, located.path);
  const out: Mutable<RuntimeConfig> = {};
  for (const name of ["User", "WorkingDir", "StopSignal"] as const) {
    const text = optionalText(at(name));
    if (text !== undefined && text !== "") out[name] = text;
  }
  for (const name of ["Env", "OnBuild"] as const) {
    if (!isAbsent(at(name))) out[name] = asStrings(at(name), WHAT);
  }
  for (const name of ["Entrypoint", "Cmd", "Shell"] as const) {
    if (isAbsent(at(name))) continue;
    // Docker takes a lone string for a list of one here, and wrote such configs long ago.
    out[name] = typeof at(name).value === "string" ? [asString(at(name), WHAT)] : asStrings(at(name), WHAT);
  }
  for (const name of ["ExposedPorts", "Volumes"] as const) {
    if (!isAbsent(at(name))) out[name] = keySet(at(name));
  }
  if (!isAbsent(at("Labels"))) out.Labels = asStringMap(at("Labels"), WHAT);
  if (!isAbsent(at("Healthcheck"))) out.Healthcheck = healthcheckFrom(at("Healthcheck"));
  if (at("ArgsEscaped").value === true) out.ArgsEscaped = true;
  return out;
}

/** An object that is used as a set: only its names count. */
function keySet(located: Located): Readonly<Record<string, Readonly<Record<string, never>>>> {
  const names = Object.keys(asObject(located, WHAT));
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function healthcheckFrom(located: Located): Healthcheck {
  const object = asObject(located, WHAT);
  const out: Mutable<Healthcheck> = {};
  const test = member(object, "Test", located.path);
  if (!isAbsent(test)) out.Test = asStrings(test, WHAT);
  for (const name of ["Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"] as const) {
    const found = member(object, name, located.path);
    if (isAbsent(found)) continue;
    if (typeof found.value !== "number") throw wrongType(WHAT, found.path, "a number", found.value);
    out[name] = found.value;
  }
  return out;
}

function historyFrom(located: Located): HistoryEntry {
  const object: JsonObject = asObject(located, WHAT);
  const out: Mutable<HistoryEntry> = {};
  for (const name of ["created", "created_by", "author", "comment"] as const) {
    const text = optionalText(member(object, name, located.path));
    if (text !== undefined && text !== "") out[name] = text;
  }
  if (object["empty_layer"] === true) out.empty_layer = true;
  return out;
}

function optionalText(located: Located): string | undefined {
  return isAbsent(located) ? undefined : asString(located, WHAT);
}

function optional<Name extends string>(name: Name, value: string): { readonly [N in Name]?: string } {
  return (value === "" ? {} : { [name]: value }) as { readonly [N in Name]?: string };
}
