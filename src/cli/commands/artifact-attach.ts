import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ARTIFACT_FLAGS } from "../artifact/artifact-flags.ts";
import { parseArtifactPlace, withoutName } from "../artifact/artifact-place.ts";
import { checkMediaType, parseFileArgument } from "../artifact/file-argument.ts";
import { defineCommand } from "../command.ts";
import { usageError } from "../error.ts";
import { PROGRESS_FLAGS } from "../progress/progress-flags.ts";
import { parsePlatformFlag } from "../registry/platform-flag.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

export const artifactAttach = defineCommand({
  operands: "IMAGE FILE[:MEDIATYPE]...",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "Pushes files as something about an image, beside it: an SBOM, a signature, a report. It has no tag, and is found " +
      "through the image: strake registry referrers, oras discover. A registry that keeps no list of these gets one as a tag. " +
      "The image itself stays as it is. Prints the name with the digest of what was attached.",
    "IMAGE is NAME[:TAG|@DIGEST] in a registry, or oci:DIR[:TAG].",
  ],
  options: {
    type: { type: "string", value: "MEDIATYPE", summary: "What is attached; always needed" },
    platform: {
      type: "string",
      value: "OS/ARCH",
      summary: "It is about the image that an index has for this platform, not about the index",
    },
    ...ARTIFACT_FLAGS,
    ...PROGRESS_FLAGS,
    ...RETRY_FLAGS,
    json: { type: "boolean", summary: "The result as JSON: digest, subject, files, and what was sent" },
  },
  examples: [
    {
      command:
        "strake artifact attach --type application/spdx+json ghcr.io/team/app:1 sbom.spdx.json:application/spdx+json",
      summary: "A list of what is in an image",
    },
    {
      command: "strake registry referrers --type application/spdx+json ghcr.io/team/app:1",
      summary: "Finds it again",
    },
  ],
  async run({ options, positionals: [text = "", ...fileTexts] }, context) {
    const { cwd } = context;
    const image = parseArtifactPlace(text, cwd);
    if (image.kind === "oci-archive")
      throw usageError(
        `Cannot attach to "${text}": an archive is written anew, not added to`,
        "oci:DIR can be",
      );
    if (options.type === undefined)
      throw usageError(
        "Cannot attach files of no type",
        "Say with --type what they are about the image: --type application/spdx+json",
      );
    const artifactType = checkMediaType(options.type, "--type");
    const platform = parsePlatformFlag(options.platform);
    const exists = (path: string): boolean => existsSync(resolve(cwd, path));
    const files = fileTexts.map((file) => parseFileArgument(file, exists));
    if (files.length === 0 && options.annotation.length === 0)
      throw usageError(
        `Cannot attach nothing to "${text}"`,
        "Name a file, or say something with --annotation",
      );
    const named = options.platform === undefined ? text : `--platform ${options.platform} ${text}`;
    const { pushFiles } = await import("../artifact/push-files.ts");
    const { findSubject } = await import("../artifact/find-subject.ts");
    return await pushFiles(
      {
        to: withoutName(image),
        vertex: `attaching to ${text}`,
        files,
        artifactType,
        findSubject: (bench) => findSubject(image, { bench, platform }),
        remark: `Listed by: strake registry referrers ${named}`,
      },
      options,
      context,
    );
  },
});
