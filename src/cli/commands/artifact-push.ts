import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { MEDIA_TYPES } from "../../oci/index.ts";
import { ARTIFACT_FLAGS } from "../artifact/artifact-flags.ts";
import { parseArtifactPlace } from "../artifact/artifact-place.ts";
import { checkMediaType, type FileArgument, parseFileArgument } from "../artifact/file-argument.ts";
import { defineCommand } from "../command.ts";
import { usageError } from "../error.ts";
import { PROGRESS_FLAGS } from "../progress/progress-flags.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

/** What oras gives to what nobody has given a type: its config, and what has none. */
const UNKNOWN_CONFIG = "application/vnd.unknown.config.v1+json";
const UNKNOWN_ARTIFACT = "application/vnd.unknown.artifact.v1";
const EMPTY_CONFIG = MEDIA_TYPES.ociEmpty;

export const artifactPush = defineCommand({
  operands: "NAME[:TAG] FILE[:MEDIATYPE]...",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "Pushes files that are no image, each as a layer that keeps its path: what strake artifact pull and oras pull make " +
      "the files of again. A folder goes as an archive, which is unpacked when it is pulled. - is standard input. Prints " +
      "the name with its digest; the same files have the same digest.",
    "NAME is in a registry; oci:DIR[:TAG] and oci-archive:FILE[:TAG] are an OCI image layout.",
  ],
  options: {
    type: {
      type: "string",
      value: "MEDIATYPE",
      default: `${UNKNOWN_ARTIFACT}, or what --config says`,
      summary: "What the artifact is",
    },
    ...ARTIFACT_FLAGS,
    config: {
      type: "string",
      value: "FILE[:MEDIATYPE]",
      summary: "A document about the artifact, in the place of an image's config",
    },
    ...PROGRESS_FLAGS,
    ...RETRY_FLAGS,
    json: { type: "boolean", summary: "The result as JSON: digest, files, and what was sent" },
  },
  examples: [
    {
      command: "strake artifact push registry.example.com/team/report:1 report.html:text/html",
      summary: "One file",
    },
    {
      command:
        "strake artifact push --type application/vnd.example.model.v1 ghcr.io/team/model:7 weights/ model.json",
      summary: "A folder and a file, as something of one's own type",
    },
    {
      command:
        "syft app:1 -o spdx-json | strake artifact push --title sbom.json oci:boms:app -:application/spdx+json",
      summary: "What another program prints, into a folder",
    },
  ],
  async run({ options, positionals: [text = "", ...fileTexts] }, context) {
    const { cwd } = context;
    const to = parseArtifactPlace(text, cwd);
    if (to.kind === "registry" && to.reference.digest !== undefined)
      throw usageError(`Cannot push to "${text}": a digest comes of what is pushed`, "Name a tag");
    const exists = (path: string): boolean => existsSync(resolve(cwd, path));
    const parse = (file: string) => parseFileArgument(file, exists);
    const type = options.type === undefined ? undefined : checkMediaType(options.type, "--type");
    const config = options.config === undefined ? undefined : configOf(parse(options.config));
    // The specification: what has no config of its own says what it is.
    const isUnknown = config === undefined || config.mediaType === EMPTY_CONFIG;
    if (fileTexts.length === 0 && config === undefined && options.annotation.length === 0)
      throw usageError(`Cannot push nothing to "${text}"`, "Name files behind it");
    const { pushFiles } = await import("../artifact/push-files.ts");
    return await pushFiles(
      {
        to,
        vertex: `pushing ${text}`,
        files: fileTexts.map(parse),
        artifactType: type ?? (isUnknown ? UNKNOWN_ARTIFACT : undefined),
        config,
      },
      options,
      context,
    );
  },
});

function configOf({ path, mediaType = UNKNOWN_CONFIG }: FileArgument): FileArgument {
  return { path, mediaType };
}
