import { rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { BuildResult } from "../../builder/index.ts";
import type { BuildFlags } from "./build-flags.ts";

type ResultFlags = Pick<BuildFlags, "iidfile" | "metadata-file">;

/** Takes away what an earlier build left in the files of results, so that none is taken for this one's. */
export async function removeStaleResults(flags: ResultFlags, cwd: string): Promise<void> {
  for (const file of [flags.iidfile, flags["metadata-file"]]) {
    if (file !== undefined) await rm(resolve(cwd, file), { force: true });
  }
}

/** `--iidfile` and `--metadata-file`. */
export async function writeResults(
  flags: ResultFlags,
  {
    result,
    names,
    cwd,
  }: { readonly result: BuildResult; readonly names: readonly string[]; readonly cwd: string },
): Promise<void> {
  // Without a newline, as in Docker: scripts read it with $(cat FILE) and without.
  if (flags.iidfile !== undefined) await writeFile(resolve(cwd, flags.iidfile), result.id);
  const metadataFile = flags["metadata-file"];
  if (metadataFile !== undefined) {
    await writeFile(resolve(cwd, metadataFile), `${JSON.stringify(buildMetadata(result, names), null, 2)}\n`);
  }
}

/** The members that buildx writes, under its names. */
function buildMetadata(result: BuildResult, names: readonly string[]): Readonly<Record<string, unknown>> {
  const { id, imageId, manifest } = result;
  return {
    // An index has no config.
    ...(id === imageId ? { "containerimage.config.digest": imageId } : {}),
    ...(manifest === undefined
      ? {}
      : { "containerimage.descriptor": manifest, "containerimage.digest": manifest.digest }),
    ...(names.length === 0 ? {} : { "image.name": names.join(",") }),
  };
}
