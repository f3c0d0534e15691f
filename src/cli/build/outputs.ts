import { resolve } from "node:path";
import type { ArchiveOptions, OutputSpec, WritableTarget } from "../../builder/types.ts";
import type { Compression } from "../../oci/media-types.ts";
import { type Attribute, parseAttributes, splitCsv } from "../args/csv.ts";
import { parseBooleanValue } from "../args/values.ts";
import { usageError } from "../error.ts";

export interface OutputContext {
  readonly cwd: string;
  /** Names of `-t`: what an output is named unless it says otherwise. */
  readonly names: readonly string[];
  /** Standard output; what `dest=-` writes to. */
  readonly standardOutput: WritableTarget;
}

/** What one `-o` asks for, and what it says for the whole build. */
export interface ParsedOutput {
  readonly output: OutputSpec;
  /** `annotation.KEY=VALUE` and its relatives, with the prefix of `--annotation`. */
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
}

/**
 * `-o DIR`, `-o -`, `-o type=oci,dest=FILE,…`, as buildx reads it.
 * @throws {CliError} USAGE
 */
export function parseOutput(text: string, context: OutputContext): ParsedOutput {
  const fields = splitCsv(text, "--output");
  const [only = ""] = fields;
  if (fields.length === 1 && only === text && !only.startsWith("type=")) {
    if (only === "") throw usageError("Flag --output is empty");
    const output: OutputSpec =
      only === "-"
        ? { kind: "tar", destination: context.standardOutput }
        : { kind: "local", destination: resolve(context.cwd, only) };
    return { output, annotations: [] };
  }
  const attributes = parseAttributes(text, "--output");
  const given = new Map(attributes.map(({ key, value }) => [key, value]));
  return { output: createOutputSpec(text, given, context), annotations: annotationsOf(attributes) };
}

const COMMON = ["type", "dest"];
const IMAGE = ["type", "name", "push", "oci-mediatypes"];
const ARCHIVE = [
  ...COMMON,
  ..."name tar compression compression-level force-compression rewrite-timestamp oci-mediatypes".split(" "),
];

function createOutputSpec(
  text: string,
  given: ReadonlyMap<string, string>,
  context: OutputContext,
): OutputSpec {
  const type = given.get("type");
  const names = splitNames(given.get("name")) ?? context.names;
  switch (type) {
    case "image":
    case "registry": {
      checkKeys(text, given, IMAGE);
      const push = type === "registry" || readFlag(given, "push", false);
      if (push && names.length === 0)
        throw usageError(`Cannot push with --output "${text}": the image has no name`, "Name it with -t");
      return { kind: "image", names, push };
    }
    case "oci":
    case "docker":
      checkKeys(text, given, ARCHIVE);
      return {
        kind: type,
        destination: destinationOf(text, given, context),
        names,
        ...archiveOptions(given),
      };
    case "tar":
      checkKeys(text, given, COMMON);
      return { kind: "tar", destination: destinationOf(text, given, context) };
    case "local": {
      checkKeys(text, given, COMMON);
      const destination = given.get("dest");
      if (destination === undefined || destination === "" || destination === "-") {
        throw usageError(`Output "${text}" needs a folder`, "Write type=local,dest=DIR");
      }
      return { kind: "local", destination: resolve(context.cwd, destination) };
    }
    case undefined:
      throw usageError(
        `Output "${text}" has no type`,
        "Write -o type=oci,dest=FILE, or -o DIR for the files alone",
      );
    default:
      throw usageError(
        `Unknown output type "${type}" in "${text}"`,
        "Types are image, oci, docker, tar, local and registry",
      );
  }
}

function archiveOptions(given: ReadonlyMap<string, string>): Omit<ArchiveOptions, "names"> {
  const compression = readCompression(given.get("compression"));
  const level = given.get("compression-level");
  if (level !== undefined && !/^\d{1,2}$/.test(level)) {
    throw usageError(`Cannot read compression-level "${level}": it is a number`);
  }
  return {
    tar: readFlag(given, "tar", true),
    ...(compression === undefined ? {} : { compression }),
    ...(level === undefined ? {} : { compressionLevel: Number(level) }),
    ...(given.has("force-compression")
      ? { forceCompression: readFlag(given, "force-compression", false) }
      : {}),
    ...(given.has("rewrite-timestamp")
      ? { rewriteTimestamp: readFlag(given, "rewrite-timestamp", false) }
      : {}),
  };
}

function readCompression(value: string | undefined): Compression | undefined {
  switch (value) {
    case undefined:
    case "gzip":
    case "zstd":
      return value;
    case "uncompressed":
    case "none":
      return "none";
    default:
      throw usageError(`Unknown compression "${value}"`, "It is gzip, zstd or uncompressed");
  }
}

function destinationOf(
  text: string,
  given: ReadonlyMap<string, string>,
  { cwd, standardOutput }: OutputContext,
): string | WritableTarget {
  const destination = given.get("dest");
  if (destination !== undefined && destination !== "" && destination !== "-")
    return resolve(cwd, destination);
  if (given.has("tar") && !readFlag(given, "tar", true)) {
    throw usageError(`Output "${text}" needs a folder`, "Add dest=DIR");
  }
  return standardOutput;
}

/** Names of an output are separated by commas, which the quoting of the whole field allows. */
function splitNames(value: string | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  return value.split(",").filter((name) => name !== "");
}

function readFlag(given: ReadonlyMap<string, string>, key: string, fallback: boolean): boolean {
  const value = given.get(key);
  return value === undefined ? fallback : parseBooleanValue(value, key);
}

const ANNOTATION =
  /^annotation(?:-(manifest|index|manifest-descriptor|index-descriptor))?(\[[^\]]*\])?\.(.+)$/;

function checkKeys(text: string, given: ReadonlyMap<string, string>, known: readonly string[]): void {
  for (const key of given.keys()) {
    if (known.includes(key) || ANNOTATION.test(key)) continue;
    throw usageError(`Unknown option "${key}" in output "${text}"`, `Options are ${known.join(", ")}`);
  }
  if (given.get("oci-mediatypes") !== undefined && !readFlag(given, "oci-mediatypes", true)) {
    throw usageError(`Cannot do output "${text}": images are made with OCI media types only`);
  }
}

function annotationsOf(attributes: readonly Attribute[]): { key: string; value: string }[] {
  return attributes.flatMap(({ key, value }) => {
    const match = ANNOTATION.exec(key);
    if (match === null) return [];
    const [, type = "manifest", platform = "", name = ""] = match;
    return [{ key: `${type}${platform}:${name}`, value }];
  });
}
