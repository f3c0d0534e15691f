import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type ByteString, formatPlatform } from "../../oci/index.ts";
import { BuildError } from "../error.ts";
import type { State } from "../solve/state.ts";
import type { OutputSpec } from "../types.ts";
import type { ExportedTree } from "./exported-tree.ts";
import type { BuiltImage } from "./image-documents.ts";
import { isMultiPlatform } from "./is-multi-platform.ts";
import type { OutputContext } from "./output-context.ts";
import { writeTreeFolder } from "./tree-folder.ts";
import { pathsOf } from "./tree-paths.ts";
import { writeTreeTar } from "./tree-tar.ts";
import { writeWholeFile } from "./write-file.ts";

/**
 * Writes the files of the results: into a folder, as whoever runs the build and with today's ownership (`local`),
 * or as one tar with everything (`tar`). Several platforms get a folder each, `linux_amd64`, unless that is refused.
 * @throws {BuildError} OUTPUT_FAILED
 */
export async function exportFiles(
  output: OutputSpec & { readonly kind: "local" | "tar" },
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<void> {
  const { signal } = context;
  const isSplit = output.platformSplit ?? isMultiPlatform(context.options);
  const trees = await Promise.all(
    context.states.map(async (state: State, index): Promise<ExportedTree> => {
      const { platform, epochSeconds } = images[index] as BuiltImage;
      const name = formatPlatform(platform);
      return {
        tree: await context.layers.tree(state),
        platform: name,
        folder: (isSplit ? name.replaceAll("/", "_") : "") as ByteString,
        epochSeconds,
      };
    }),
  );
  if (!isSplit) checkDisjoint(trees);
  try {
    if (output.kind === "local") {
      await mkdir(output.destination, { recursive: true });
      for (const tree of trees) await writeTreeFolder(tree, join(output.destination, tree.folder), signal);
    } else if (typeof output.destination === "string") {
      await writeWholeFile(output.destination, (target) => writeTreeTar(trees, target, signal));
    } else {
      await writeTreeTar(trees, output.destination, signal);
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof BuildError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BuildError("OUTPUT_FAILED", `Cannot write the files of the result: ${reason}`, { cause });
  }
}

/** Platforms that share a folder may share folders in it, and nothing else: one would overwrite the other. */
function checkDisjoint(trees: readonly ExportedTree[]): void {
  if (trees.length < 2) return;
  const seen = new Map<ByteString, string>();
  for (const { tree, platform } of trees) {
    for (const path of pathsOf(tree)) {
      if (tree.lstat(path)?.kind === "dir") continue;
      const other = seen.get(path);
      if (other === undefined) {
        seen.set(path, platform);
        continue;
      }
      const shown = Buffer.from(path, "latin1").toString("utf8");
      throw new BuildError(
        "OUTPUT_FAILED",
        `Cannot write the files of the result: ${other} and ${platform} both have "${shown}"`,
        { hint: "Drop platform-split=false, then each platform gets a folder" },
      );
    }
  }
}
