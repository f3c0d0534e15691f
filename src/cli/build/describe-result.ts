import { relative } from "node:path";
import type { BuildOptions, BuildResult, OutputSpec, WritableTarget } from "../../builder/index.ts";
import {
  formatFamiliarName,
  formatFamiliarReference,
  formatPlatform,
  parseReference,
} from "../../oci/index.ts";

/** What a build came to, for the reader: the image ID, then what became of it, a line each. */
export function describeResult(
  result: BuildResult,
  { outputs }: Pick<BuildOptions, "outputs">,
  cwd: string,
): string[] {
  const cached = result.stepsCached === 0 ? "" : `, ${result.stepsCached} cached`;
  const steps = `${result.stepsTotal} ${result.stepsTotal === 1 ? "step" : "steps"}${cached}`;
  return [`${what(result)} (${steps})`, ...outputs.flatMap((output) => describeOutput(output, result, cwd))];
}

function what({ id, imageId, images }: BuildResult): string {
  if (id === imageId && images.length === 1) return `Image ${id}`;
  const platforms = images.map(({ platform }) => formatPlatform(platform)).join(", ");
  return id === imageId ? `Images for ${platforms}` : `Index ${id} for ${platforms}`;
}

function describeOutput(output: OutputSpec, { manifest }: BuildResult, cwd: string): string[] {
  switch (output.kind) {
    case "image":
      return output.names.map((name) => {
        if (!output.push) return `Named ${familiar(name)}`;
        return `Pushed ${output.pushByDigest ? `${repositoryOf(name)}@${manifest?.digest}` : familiar(name)}`;
      });
    case "oci":
    case "docker": {
      const what = output.kind === "oci" ? "OCI" : "Docker";
      return [`Wrote ${place(output.destination, cwd)} (${what} ${output.tar ? "archive" : "layout"})`];
    }
    case "tar":
      return [`Wrote ${place(output.destination, cwd)} (the files of the image)`];
    case "local":
      return [`Wrote ${place(output.destination, cwd)} (the files of the image)`];
    case "engine": {
      const { shownAs } = output.engine;
      if (output.names.length === 0) return [`Loaded into ${shownAs}`];
      return output.names.map((name) => `Loaded ${familiar(name)} into ${shownAs}`);
    }
    case "cacheonly":
      return [];
    default:
      return output satisfies never;
  }
}

/** A destination as short as it can be said. */
function place(destination: string | WritableTarget, cwd: string): string {
  if (typeof destination !== "string") return "to standard output";
  const path = relative(cwd, destination);
  return path === "" ? "." : path.startsWith("..") ? destination : path;
}

function repositoryOf(name: string): string {
  return formatFamiliarName(parseReference(name));
}

function familiar(name: string): string {
  return formatFamiliarReference(parseReference(name));
}
