import type { Descriptor, Digest } from "../../oci/index.ts";
import { runStep } from "../run-step.ts";
import type { OutputSpec } from "../types.ts";
import { writeDockerOutput, writeOciOutput } from "./archive-output.ts";
import { exportFiles } from "./file-tree.ts";
import type { BuiltImage } from "./image-documents.ts";
import { writeImageOutput } from "./image-output.ts";
import { type ImageSet, idOfSet } from "./image-set.ts";
import type { OutputContext } from "./output-context.ts";

/** What an output made, where it made one. */
export interface Written {
  /** What the result is known by: the image ID, or the index's digest. */
  readonly id: Digest;
  /** The manifest or index. */
  readonly manifest: Descriptor;
  /** The images as they were written. */
  readonly images: ImageSet["images"];
}

/**
 * Hands a build's images on: names in the store, archives, folders, registries. Returns what the first output that
 * makes a manifest made.
 * @throws {BuildError} OUTPUT_FAILED, UNSUPPORTED
 */
export async function writeOutputs(
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<Written | undefined> {
  const { options } = context;
  let first: ImageSet | undefined;
  const outputs: readonly OutputSpec[] =
    options.outputs.length === 0 ? [{ kind: "image", names: options.names, push: false }] : options.outputs;
  for (const output of outputs) {
    context.signal.throwIfAborted();
    if (output.kind === "cacheonly") continue;
    const name = outputName(output);
    const step = {
      vertex: name,
      name,
      onEvent: options.onEvent,
      nowMs: context.monotonic,
      signal: context.signal,
    };
    const set = await runStep(step, () => writeOutput(output, images, context));
    first ??= set;
  }
  return first === undefined
    ? undefined
    : { id: idOfSet(first), manifest: rootOf(first), images: first.images };
}

async function writeOutput(
  output: OutputSpec,
  images: readonly BuiltImage[],
  context: OutputContext,
): Promise<ImageSet | undefined> {
  switch (output.kind) {
    case "image":
      return writeImageOutput(output, images, context);
    case "engine": {
      const { loadIntoEngine } = await import("./engine-output.ts");
      return loadIntoEngine(output, images, context);
    }
    case "oci":
      return writeOciOutput(output, images, context);
    case "docker":
      return writeDockerOutput(output, images, context);
    case "local":
    case "tar":
      await exportFiles(output, images, context);
      return undefined;
    case "cacheonly":
      return undefined;
    default:
      return output satisfies never;
  }
}

/** The root with the platform, as buildx tells it. */
function rootOf({ root, index, images }: ImageSet): Descriptor {
  return index === undefined ? { ...root, platform: images[0].platform } : root;
}

function outputName(output: OutputSpec): string {
  switch (output.kind) {
    case "image":
      return output.names.length === 0 || output.pushByDigest === true || output.store === false
        ? "exporting to image"
        : `naming to ${output.names.join(", ")}`;
    case "engine":
      return `loading into ${output.engine.shownAs}`;
    default:
      return `exporting to ${output.kind}`;
  }
}
