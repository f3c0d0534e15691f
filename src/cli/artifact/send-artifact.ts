import { runStep } from "../../builder/remote/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import type { ArtifactContents, PushedImage } from "../../registry/index.ts";
import { openTarget } from "../images/open-target.ts";
import type { Workbench } from "../images/workbench.ts";
import type { ArtifactPlace } from "./artifact-place.ts";

export interface SentArtifact {
  /** What it is called now, with its digest. */
  readonly name: string;
  readonly descriptor: Descriptor & { readonly artifactType: string };
  readonly pushed: PushedImage;
}

/** Puts an artifact into a registry or a layout, as one step of the progress. */
export async function sendArtifact(
  contents: ArtifactContents,
  to: ArtifactPlace,
  { bench, vertex }: { readonly bench: Workbench; readonly vertex: string },
): Promise<SentArtifact> {
  const { nowMs, signal } = bench.context;
  const { copyImage, packArtifact } = await import("../../registry/index.ts");
  const { descriptor, source: from } = packArtifact(contents);
  const name = descriptor.digest;
  const source = {
    from,
    name,
    fullName: undefined,
    origin: undefined,
    mountFrom: async () => [],
    referrersOf: async () => [],
    [Symbol.asyncDispose]: async () => undefined,
  };
  return await runStep({ vertex, name: vertex, onEvent: bench.onEvent, nowMs, signal }, async () => {
    await using target = await openTarget(to, { source, bench, vertex });
    const { pushBlob, forgetBlobs, tags } = target;
    const pushed = await copyImage({ from, name, to: target.to, pushBlob, forgetBlobs, tags, signal });
    return { name: await target.finish(pushed), descriptor, pushed };
  });
}
