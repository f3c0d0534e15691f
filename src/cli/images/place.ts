import { resolve } from "node:path";
import { parseReference, type Reference, withDefaultTag } from "../../oci/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { usageError } from "../error.ts";

/** Where an image is, or goes. `text` is what the person wrote. */
export type ImagePlace =
  | { readonly kind: "registry"; readonly reference: Reference; readonly text: string }
  | { readonly kind: "store"; readonly name: string; readonly text: string }
  | (FilePlace & { readonly kind: "oci" | "oci-archive" | "docker-archive" });

interface FilePlace {
  /** Absolute. */
  readonly path: string;
  /** The path as it was written. */
  readonly shown: string;
  /** Which image of several, or what it is to be called. */
  readonly name: string | undefined;
  readonly text: string;
}

const FILE_KINDS: readonly string[] = ["oci", "oci-archive", "docker-archive"];
/** Other tools' places that strake has nothing to do with. */
const FOREIGN: Readonly<Record<string, string>> = {
  "docker-daemon": "Save it with docker save, and name the file: docker-archive:FILE",
  "containers-storage": "Save it with podman save, and name the file: docker-archive:FILE",
  dir: "An OCI image layout does the same: oci:DIR",
};

/**
 * Reads where an image is: `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, `store:NAME`,
 * `docker://NAME`. Anything else is a name in a registry, or in the store, as `plain` says.
 * @throws {CliError} USAGE
 */
export function parsePlace(
  text: string,
  { cwd, plain }: { readonly cwd: string; readonly plain: "registry" | "store" },
): ImagePlace {
  const [, prefix = "", rest = ""] = /^([a-z][a-z-]*):(.*)$/s.exec(text) ?? [];
  const hint = FOREIGN[prefix];
  if (hint !== undefined && rest !== "")
    throw usageError(`Cannot use "${text}": strake has no ${prefix}:`, hint);
  if (FILE_KINDS.includes(prefix)) return parseFilePlace(prefix as FilePlaceKind, rest, text, cwd);
  if (prefix === "store") return { kind: "store", name: named(rest, text), text };
  if (prefix === "docker" && rest.startsWith("//")) return registryPlace(rest.slice(2), text);
  return plain === "registry" ? registryPlace(text, text) : { kind: "store", name: text, text };
}

type FilePlaceKind = "oci" | "oci-archive" | "docker-archive";

function parseFilePlace(kind: FilePlaceKind, rest: string, text: string, cwd: string): ImagePlace {
  const colon = rest.indexOf(":");
  const shown = colon < 0 ? rest : rest.slice(0, colon);
  const name = colon < 0 ? "" : rest.slice(colon + 1);
  if (shown === "")
    throw usageError(`Cannot read "${text}": it names no ${kind === "oci" ? "folder" : "file"}`);
  return { kind, path: resolve(cwd, shown), shown, name: name === "" ? undefined : name, text };
}

function registryPlace(name: string, text: string): ImagePlace {
  return { kind: "registry", reference: asUsage(() => withDefaultTag(parseReference(name))), text };
}

function named(name: string, text: string): string {
  if (name === "") throw usageError(`Cannot read "${text}": it names no image`);
  return name;
}
