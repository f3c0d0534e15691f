import { parseArtifactPlace } from "../artifact/artifact-place.ts";
import { defineCommand } from "../command.ts";
import { PROGRESS_FLAGS } from "../progress/progress-flags.ts";
import { parsePlatformFlag } from "../registry/platform-flag.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

export const artifactPull = defineCommand({
  operands: "NAME[:TAG|@DIGEST]",
  count: { min: 1, max: 1 },
  details: [
    "Makes files of an artifact's layers, under the names that they have there, and unpacks folders. Prints the path of each. " +
      "Nothing appears before all has arrived and is what its digest says; nothing is written outside of the folder, through " +
      "a symlink, or over a file that is there.",
    "NAME is in a registry; oci:DIR[:TAG] and oci-archive:FILE[:TAG] are an OCI image layout.",
  ],
  options: {
    attached: {
      type: "string",
      value: "MEDIATYPE",
      summary: "Not the artifact of that name, but what of this type is attached to the image of that name",
    },
    output: { type: "string", short: "o", value: "DIR", default: ".", summary: "Where to; made if missing" },
    overwrite: { type: "boolean", summary: "Replace files that are there" },
    include: {
      type: "list",
      value: "PATTERN",
      summary:
        "Only files and folders of that name, or of that path if it has a slash; * and ? stand for anything",
    },
    all: { type: "boolean", summary: "Also layers without a name, each in a file called by its digest" },
    platform: {
      type: "string",
      value: "OS/ARCH",
      default: "this machine's",
      summary: "Which artifact of an index; with --attached, what is attached to the image for this platform",
    },
    ...PROGRESS_FLAGS,
    ...RETRY_FLAGS,
    json: { type: "boolean", summary: "The result as JSON: digest, type, and all files" },
  },
  examples: [
    { command: "strake artifact pull registry.example.com/team/report:1", summary: "Into this folder" },
    {
      command: "strake artifact pull -o model --include '*.json' ghcr.io/team/model:7",
      summary: "Some files, into a folder of their own",
    },
    {
      command: "strake artifact pull --attached application/spdx+json ghcr.io/team/app:1",
      summary: "The list of what is in an image, as strake artifact attach put it beside the image",
    },
  ],
  async run({ options, positionals: [text = ""] }, context) {
    const from = parseArtifactPlace(text, context.cwd);
    const platform = parsePlatformFlag(options.platform);
    const { pullArtifact } = await import("../artifact/pull-artifact.ts");
    return await pullArtifact(from, { ...options, platform, folder: options.output ?? "." }, context);
  },
});
