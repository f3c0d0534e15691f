import { reportTransfer, runStep } from "../../builder/remote/index.ts";
import { formatFamiliarReference, hostPlatform, type ImageFormat, type Platform } from "../../oci/index.ts";
import type { PushedImage } from "../../registry/index.ts";
import { defineCommand } from "../command.ts";
import { type CliError, usageError } from "../error.ts";
import { checkPlatform } from "../images/check-platform.ts";
import { copyDigestTags } from "../images/copy-digest-tags.ts";
import { parseFormat } from "../images/image-format.ts";
import { openSource } from "../images/open-source.ts";
import { openTarget } from "../images/open-target.ts";
import { type ImagePlace, parsePlace } from "../images/place.ts";
import { recompressed } from "../images/recompressed.ts";
import { Workbench } from "../images/workbench.ts";
import { openView } from "../progress/open-view.ts";
import { PROGRESS_FLAGS, progressKind } from "../progress/progress-flags.ts";
import { parsePlatformFlags } from "../registry/platform-flag.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";

export const copy = defineCommand({
  operands: "SOURCE DESTINATION",
  count: { min: 2, max: 2 },
  details: [
    "Each of the two is a NAME[:TAG|@DIGEST] in a registry, oci:DIR[:TAG] or oci-archive:FILE[:TAG] (an OCI image layout), " +
      "docker-archive:FILE[:NAME] (what docker save makes), or store:NAME.",
    "All platforms are copied unless --platform says which, and all digests stay as they are. What the destination has " +
      "already is not fetched; within one registry layers are mounted; nothing is kept on this machine's disk on the way " +
      "from registry to registry.",
    "With --format the documents get other media types, and so other digests; layers and image IDs stay. Without it that is " +
      "done only for a registry that takes no OCI media types, with a warning.",
  ],
  options: {
    platform: {
      type: "list",
      value: "OS/ARCH",
      default: "all; this machine's for a docker archive",
      summary: "Only these images of an index",
    },
    "all-tags": {
      type: "boolean",
      short: "a",
      summary: "Every tag of a repository, into another repository",
    },
    referrers: {
      type: "boolean",
      summary:
        "Also what refers to the image: signatures, attestations, and the tags that older tools use for them",
    },
    format: {
      type: "string",
      value: "oci|docker",
      default: "as it is",
      summary: "Whose media types the image is to have: OCI's, or those of Docker's schema 2",
    },
    recompress: {
      type: "boolean",
      summary: "With --format docker: compress layers with gzip that are compressed with zstd",
    },
    ...PROGRESS_FLAGS,
    json: { type: "boolean", summary: "The result as JSON, one line for each image" },
    ...RETRY_FLAGS,
  },
  examples: [
    {
      command: "strake copy debian:12 registry.example.com/mirror/debian:12",
      summary: "From registry to registry, for every platform",
    },
    { command: "strake copy --platform linux/arm64 alpine:3 oci:layout:3", summary: "Into a folder" },
    {
      command: "strake copy docker-archive:app.tar registry.example.com/team/app:1",
      summary: "What docker save wrote, into a registry",
    },
    {
      command: "strake copy --format docker oci:layout:1 old.example.com/app:1",
      summary: "For a registry or a tool that knows only Docker's media types",
    },
    {
      command: "strake copy --all-tags old.example.com/app new.example.com/app",
      summary: "A whole repository",
    },
  ],
  async run({ options, positionals: [sourceText = "", targetText = ""] }, context) {
    const { cwd, settings, stdout, signal } = context;
    const source = parsePlace(sourceText, { cwd, plain: "registry" });
    const target = parsePlace(targetText, { cwd, plain: "registry" });
    const platforms = parsePlatformFlags(options.platform);
    const format = options.format === undefined ? undefined : parseFormat(options.format);
    if (options.recompress && format !== "docker")
      throw usageError(
        "Cannot use --recompress without --format docker",
        "OCI's media types have one for layers compressed with zstd",
      );
    if (options["all-tags"]) requireRepositories(source, target, sourceText, targetText);

    const view = await openView(progressKind(options, settings), "Copying", context);
    const progress: Progress = { vertex: "", onlyPushes: target.kind === "registry" };
    await using bench = new Workbench(context, {
      onEvent: view.onEvent,
      onRegistryEvent: (event) => {
        // Bytes that pass through are told once: by the registry that takes them, else by whoever writes them down.
        const isTransfer = event.kind.startsWith("blob-");
        const isPush = "direction" in event ? event.direction === "push" : event.kind === "blob-mounted";
        if (isTransfer && !(progress.onlyPushes && isPush)) return;
        reportTransfer(event, progress.vertex, view.onEvent);
      },
    });
    const results: CopyResult[] = [];
    try {
      const pairs = options["all-tags"] ? await pairsOfTags(source, target, bench) : [{ source, target }];
      for (const pair of pairs) {
        results.push(await copyOne(pair, { ...options, bench, progress, platforms, format }));
        signal.throwIfAborted();
      }
    } finally {
      view.close();
      for (const result of results)
        stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${result.destination}\n`);
    }
    return undefined;
  },
});

interface Progress {
  /** The step that goes on. */
  vertex: string;
  readonly onlyPushes: boolean;
}

interface Pair {
  readonly source: ImagePlace;
  readonly target: ImagePlace;
}

interface CopyResult {
  readonly source: string;
  readonly destination: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly blobs: PushedImage["blobs"];
  /** Bytes that the destination did not have. */
  readonly copiedBytes: number;
}

interface CopyContext {
  readonly bench: Workbench;
  readonly progress: Progress;
  readonly platforms: readonly Platform[];
  readonly format: ImageFormat | undefined;
  readonly recompress: boolean;
  readonly referrers: boolean;
}

async function copyOne(
  { source: from, target: to }: Pair,
  { bench, progress, platforms, format, recompress, referrers }: CopyContext,
): Promise<CopyResult> {
  const { signal, nowMs } = bench.context;
  const name = `copying ${from.text} to ${to.text}`;
  progress.vertex = name;
  const step = { vertex: name, name, onEvent: bench.onEvent, nowMs, signal };
  return await runStep(step, async () => {
    const { copyImage, describeConversion } = await import("../../registry/index.ts");
    await using source = await openSource(from, bench);
    await using target = await openTarget(to, { source, bench, vertex: name });
    const wanted = platforms.length > 0 ? platforms : undefined;
    if (!target.takesIndexes && platforms.length > 1)
      throw usageError(
        `Cannot copy ${platforms.length} platforms to "${to.text}": a docker archive holds one`,
      );
    const doCopy = async (): Promise<PushedImage> => {
      if (wanted !== undefined) {
        const root = await source.from.fetchManifest(source.name, { signal });
        await checkPlatform(root, wanted, { from: source.from, text: from.text, signal });
      }
      // A single image is taken as it is: only an index has to be narrowed to what fits here.
      const narrowed = wanted ?? (target.takesIndexes ? undefined : [hostPlatform()]);
      const read = recompress ? await recompressed(source, narrowed, bench) : source;
      return await copyImage({
        from: read.from,
        name: read.name,
        to: target.to,
        pushBlob: target.pushBlob,
        forgetBlobs: target.forgetBlobs,
        onRoot: target.onRoot,
        tags: target.tags,
        platforms: recompress ? undefined : narrowed,
        format,
        mayFallBack: true,
        onConverted: (conversion) => {
          if (referrers) throw cannotKeepReferrers(from.text, conversion.format);
          const told = describeConversion(conversion);
          if (told !== undefined) bench.onEvent({ kind: "warning", message: `${to.text}: ${told}` });
        },
        referrersOf: referrers ? source.referrersOf : undefined,
        signal,
      });
    };
    const copied =
      from.kind === "registry"
        ? await suggestingTags(await bench.client(), from.reference, doCopy, signal)
        : await doCopy();
    if (referrers) await copyDigestTags({ from, to }, { source, digest: copied.descriptor.digest, bench });
    const destination = await target.finish(copied);
    const { digest, mediaType, size } = copied.descriptor;
    return {
      source: from.text,
      destination,
      digest,
      mediaType,
      size,
      blobs: copied.blobs,
      copiedBytes: copied.uploadedBytes,
    };
  });
}

/** What refers to an image names its digest, or that of one of its manifests. */
function cannotKeepReferrers(text: string, format: ImageFormat): CliError {
  return usageError(
    `Cannot copy what refers to "${text}" along: with ${format === "oci" ? "OCI" : "Docker"}'s media types the image has other digests`,
    "Leave out --referrers or --format; signatures and attestations are to be made anew for the new digest",
  );
}

function requireRepositories(source: ImagePlace, target: ImagePlace, from: string, to: string): void {
  for (const [place, text] of [
    [source, from],
    [target, to],
  ] as const) {
    if (place.kind !== "registry")
      throw usageError(`Cannot copy all tags: "${text}" is no repository of a registry`);
    if (/[:@][^/]*$/.test(text.replace(/^docker:\/\//, "")))
      throw usageError(`Cannot copy all tags: "${text}" names one image`, "Name the repository alone");
  }
}

async function pairsOfTags(
  source: ImagePlace,
  target: ImagePlace,
  bench: Workbench,
): Promise<readonly Pair[]> {
  if (source.kind !== "registry" || target.kind !== "registry") throw new TypeError("both are repositories");
  const { signal } = bench.context;
  const tags: string[] = [];
  for await (const page of (await bench.client()).repository(source.reference).listTags({ signal }))
    tags.push(...page);
  return tags.map((tag) => ({ source: withTag(source, tag), target: withTag(target, tag) }));
}

function withTag(place: Extract<ImagePlace, { readonly kind: "registry" }>, tag: string): ImagePlace {
  const reference = { ...place.reference, tag };
  return { ...place, reference, text: formatFamiliarReference(reference) };
}
