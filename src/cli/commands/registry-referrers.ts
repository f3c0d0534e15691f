import { parseArtifactPlace } from "../artifact/artifact-place.ts";
import { listAttached } from "../artifact/list-attached.ts";
import { defineCommand } from "../command.ts";
import { openSource } from "../images/open-source.ts";
import { openWorkbench } from "../images/workbench.ts";
import { formatBytes } from "../progress/format.ts";
import { parsePlatformFlag } from "../registry/platform-flag.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";
import { formatTable } from "../tables/table.ts";

export const registryReferrers = defineCommand({
  operands: "NAME[:TAG|@DIGEST]",
  count: { min: 1, max: 1 },
  details: [
    "Lists what says something about an image: signatures, attestations, lists of what is in it.",
    "The image may also be in an OCI image layout: oci:DIR[:TAG], oci-archive:FILE[:TAG].",
  ],
  options: {
    type: { type: "string", value: "TYPE", summary: "Only those of this artifact type" },
    platform: {
      type: "string",
      value: "OS/ARCH",
      summary: "What is about the image that an index has for this platform, not about the index itself",
    },
    json: { type: "boolean", summary: "As JSON: a list of descriptors" },
    ...RETRY_FLAGS,
  },
  examples: [{ command: "strake registry referrers ghcr.io/team/app:1", summary: "What there is about it" }],
  async run({ options, positionals: [named = ""] }, context) {
    const { cwd, stdout } = context;
    const image = parseArtifactPlace(named, cwd);
    const platform = parsePlatformFlag(options.platform);
    await using bench = openWorkbench(context);
    await using source = await openSource(image, bench);
    const found = await listAttached(source, image, { bench, platform, artifactType: options.type });
    if (options.json) {
      stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
      return undefined;
    }
    const rows = found.map(({ digest, artifactType, size, annotations }) => [
      digest,
      artifactType ?? "",
      formatBytes(size),
      annotations?.["org.opencontainers.image.created"] ?? "",
    ]);
    stdout.write(formatTable(["DIGEST", "TYPE", "SIZE", "CREATED"], rows));
    return undefined;
  },
});
