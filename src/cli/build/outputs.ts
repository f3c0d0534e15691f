import { resolve } from "node:path";
import type { FilesOptions, ImageEncoding, OutputSpec, WritableTarget } from "../../builder/types.ts";
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

/** What one `-o` asks for; `load` is an engine on this machine, which remains to be found. */
export type ParsedSpec = OutputSpec | { readonly kind: "load"; readonly names: readonly string[] };

/**
 * `-o DIR`, `-o -`, `-o type=oci,dest=FILE,…`, as buildx reads it.
 * @throws {CliError} USAGE
 */
export function parseOutput(text: string, context: OutputContext): ParsedSpec {
  const fields = splitCsv(text, "--output");
  const [only = ""] = fields;
  if (fields.length === 1 && only === text && !only.startsWith("type=")) {
    if (only === "") throw usageError("Flag --output is empty");
    return only === "-"
      ? { kind: "tar", destination: context.standardOutput }
      : { kind: "local", destination: resolve(context.cwd, only) };
  }
  const attributes = parseAttributes(text, "--output");
  const given = new Map(attributes.map(({ key, value }) => [key, value]));
  const output = createOutputSpec(text, given, context);
  const annotations = annotationsOf(attributes);
  if (annotations.length === 0) return output;
  if (output.kind === "image" || output.kind === "oci" || output.kind === "docker")
    return { ...output, annotations };
  throw usageError(`Cannot annotate with output "${text}": it makes no manifest`);
}

const FILES = ["type", "dest", "platform-split"];
const ENCODING = "compression compression-level force-compression rewrite-timestamp oci-mediatypes".split(
  " ",
);
/** What says how an engine keeps an image, and nothing to a store that unpacks what is read, and finds every digest. */
const NO_EFFECT = ["unpack", "dangling-name-prefix", "name-canonical"];
const IMAGE = ["type", "name", "push", "push-by-digest", "store", ...ENCODING, ...NO_EFFECT];
const ARCHIVE = ["type", "dest", "name", "tar", ...ENCODING];

function createOutputSpec(
  text: string,
  given: ReadonlyMap<string, string>,
  context: OutputContext,
): ParsedSpec {
  const type = given.get("type");
  const names = splitNames(given.get("name")) ?? context.names;
  switch (type) {
    case "image":
    case "registry":
      return imageOutput(text, given, names);
    case "docker":
      // As in buildx: only with a place to write to is it an archive.
      if (!given.has("dest")) {
        checkKeys(text, given, ["type", "name"]);
        return { kind: "load", names };
      }
      return archiveOutput("docker", text, given, { ...context, names });
    case "oci":
      return archiveOutput("oci", text, given, { ...context, names });
    case "tar":
      checkKeys(text, given, FILES);
      return { kind: "tar", destination: destinationOf(text, given, context), ...filesOptions(given) };
    case "local": {
      checkKeys(text, given, FILES);
      const destination = given.get("dest");
      if (destination === undefined || destination === "" || destination === "-") {
        throw usageError(`Output "${text}" needs a folder`, "Write type=local,dest=DIR");
      }
      return { kind: "local", destination: resolve(context.cwd, destination), ...filesOptions(given) };
    }
    case "cacheonly":
      checkKeys(text, given, ["type"]);
      return { kind: "cacheonly" };
    case undefined:
      throw usageError(
        `Output "${text}" has no type`,
        "Write -o type=oci,dest=FILE, or -o DIR for the files alone",
      );
    default:
      throw usageError(
        `Unknown output type "${type}" in "${text}"`,
        "Types are image, oci, docker, tar, local, registry and cacheonly",
      );
  }
}

function imageOutput(
  text: string,
  given: ReadonlyMap<string, string>,
  names: readonly string[],
): OutputSpec & { readonly kind: "image" } {
  checkKeys(text, given, IMAGE);
  for (const key of NO_EFFECT) if (key !== "dangling-name-prefix") readFlag(given, key, false);
  const push = given.get("type") === "registry" || readFlag(given, "push", false);
  const pushByDigest = readFlag(given, "push-by-digest", false);
  if (push && names.length === 0)
    throw usageError(`Cannot push with --output "${text}": the image has no name`, "Name it with -t");
  return {
    kind: "image",
    names,
    push,
    ...(pushByDigest ? { pushByDigest } : {}),
    ...(readFlag(given, "store", true) ? {} : { store: false }),
    ...encoding(text, given),
  };
}

function archiveOutput(
  kind: "oci" | "docker",
  text: string,
  given: ReadonlyMap<string, string>,
  context: OutputContext,
): OutputSpec {
  checkKeys(text, given, ARCHIVE);
  return {
    kind,
    destination: destinationOf(text, given, context),
    names: context.names,
    tar: readFlag(given, "tar", true),
    ...encoding(text, given),
  };
}

function encoding(text: string, given: ReadonlyMap<string, string>): Omit<ImageEncoding, "annotations"> {
  const compression = readCompression(given.get("compression"));
  const level = readLevel(given.get("compression-level"), compression ?? "gzip");
  const isOci = readFlag(given, "oci-mediatypes", true);
  if (!isOci && compression === "zstd") {
    throw usageError(`Output "${text}" contradicts itself: Docker's media types know no zstd`);
  }
  return {
    ...(compression === undefined ? {} : { compression }),
    ...(level === undefined ? {} : { compressionLevel: level }),
    ...(given.has("force-compression")
      ? { forceCompression: readFlag(given, "force-compression", false) }
      : {}),
    ...(given.has("rewrite-timestamp")
      ? { rewriteTimestamp: readFlag(given, "rewrite-timestamp", false) }
      : {}),
    ...(isOci ? {} : { ociMediaTypes: false }),
  };
}

function filesOptions(given: ReadonlyMap<string, string>): FilesOptions {
  return given.has("platform-split") ? { platformSplit: readFlag(given, "platform-split", true) } : {};
}

const LEVELS = { none: [0, 22], gzip: [0, 9], zstd: [1, 22] } as const;

function readLevel(value: string | undefined, compression: Compression): number | undefined {
  if (value === undefined) return undefined;
  const [least, most] = LEVELS[compression];
  const level = /^\d{1,2}$/.test(value) ? Number(value) : Number.NaN;
  if (level >= least && level <= most) return level;
  throw usageError(
    `Cannot read compression-level "${value}": for ${compression} it is a number from ${least} to ${most}`,
  );
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
    case "estargz":
      throw usageError(
        `Cannot compress with ${value}: this version makes no layers that can be read in part`,
        "It is gzip, zstd or uncompressed",
      );
    default:
      throw usageError(
        `Cannot read --output: unsupported compression type ${value}`,
        "It is gzip, zstd or uncompressed",
      );
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
    if (key === "registry.insecure") {
      throw usageError(
        `Cannot read "${key}" in output "${text}": which registries may be insecure is no matter of one output`,
        "Name them in $STRAKE_INSECURE_REGISTRIES",
      );
    }
    throw usageError(`Unknown option "${key}" in output "${text}"`, `Options are ${known.join(", ")}`);
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
