import { relative } from "node:path";
import type { BuildOptions, BuildResult, OutputSpec } from "../../builder/index.ts";
import { formatFamiliarReference, parseReference } from "../../oci/index.ts";

/** What a build came to, for the reader: the image ID, then what became of it, a line each. */
export function describeResult(
  result: BuildResult,
  { outputs }: Pick<BuildOptions, "outputs">,
  cwd: string,
): string[] {
  const cached = result.stepsCached === 0 ? "" : `, ${result.stepsCached} cached`;
  const steps = `${result.stepsTotal} ${result.stepsTotal === 1 ? "step" : "steps"}${cached}`;
  return [`Image ${result.imageId} (${steps})`, ...outputs.flatMap((output) => describeOutput(output, cwd))];
}

function describeOutput(output: OutputSpec, cwd: string): string[] {
  switch (output.kind) {
    case "image":
      return output.names.map((name) => `${output.push ? "Pushed" : "Named"} ${familiar(name)}`);
    case "oci":
    case "docker": {
      const what = output.kind === "oci" ? "OCI" : "Docker";
      return [`Wrote ${place(output.destination, cwd)} (${what} ${output.tar ? "archive" : "layout"})`];
    }
    case "tar":
      return [`Wrote ${place(output.destination, cwd)} (the files of the image)`];
    case "local":
      return [`Wrote ${place(output.destination, cwd)} (the files of the image)`];
    default:
      return output satisfies never;
  }
}

/** A destination as short as it can be said. */
function place(destination: Exclude<OutputSpec, { kind: "image" }>["destination"], cwd: string): string {
  if (typeof destination !== "string") return "to standard output";
  const path = relative(cwd, destination);
  return path === "" ? "." : path.startsWith("..") ? destination : path;
}

function familiar(name: string): string {
  return formatFamiliarReference(parseReference(name));
}
