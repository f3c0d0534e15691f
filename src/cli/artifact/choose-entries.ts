import { compileGlob } from "../../builder/files/glob.ts";
import { splitDigest } from "../../oci/index.ts";
import type { ArtifactEntry, ArtifactListing } from "../../registry/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { CliError } from "../error.ts";

/** Titles that a hint names. */
const MAX_LISTED = 8;

/**
 * Which of an artifact's layers are to become files.
 * @param include patterns; all when there are none
 * @param all whether layers without a name are called by their digest
 * @throws {CliError} INPUT_UNUSABLE for a pattern that fits nothing; USAGE for one that can't be read
 */
export function chooseEntries(
  { entries, unnamed }: ArtifactListing,
  { include, all }: { readonly include: readonly string[]; readonly all: boolean },
): readonly ArtifactEntry[] {
  const named: ArtifactEntry[] = [...entries];
  if (all) {
    for (const descriptor of unnamed) {
      const { algorithm, hex } = splitDigest(descriptor.digest);
      const path = `${algorithm}-${hex}`;
      if (!named.some((entry) => entry.path === path)) named.push({ kind: "file", path, descriptor });
    }
  }
  if (include.length === 0) return named;
  const chosen = new Set<ArtifactEntry>();
  for (const pattern of include) {
    const glob = asUsage(() => compileGlob(pattern.replace(/^\.\//, "").replace(/\/+$/, "")));
    const isPath = pattern.replace(/\/+$/, "").includes("/");
    const fitting = named.filter(({ path }) => glob.test(isPath ? path : nameOf(path)));
    if (fitting.length === 0) throw nothingFits(pattern, named);
    for (const entry of fitting) chosen.add(entry);
  }
  return named.filter((entry) => chosen.has(entry));
}

function nothingFits(pattern: string, entries: readonly ArtifactEntry[]): CliError {
  const listed = entries.slice(0, MAX_LISTED).map(({ path }) => (path === "" ? "." : path));
  const more = entries.length > listed.length ? ` and ${entries.length - listed.length} more` : "";
  return new CliError("INPUT_UNUSABLE", `Cannot find a file like "${pattern}" in the artifact`, {
    hint: listed.length === 0 ? "It has none" : `It has ${listed.join(", ")}${more}`,
  });
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
