import { isDigest } from "../../oci/index.ts";
import { defineCommand } from "../command.ts";
import { formatBytes } from "../progress/format.ts";
import { openPlainRegistry } from "../registry/open-plain.ts";
import { parseRemoteName } from "../registry/remote-name.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";
import { formatTable } from "../tables/table.ts";

export const registryReferrers = defineCommand({
  operands: "NAME[:TAG|@DIGEST]",
  count: { min: 1, max: 1 },
  details: ["Lists what says something about an image: signatures, attestations, lists of what is in it."],
  options: {
    type: { type: "string", value: "TYPE", summary: "Only those of this artifact type" },
    json: { type: "boolean", summary: "As JSON: a list of descriptors" },
    ...RETRY_FLAGS,
  },
  examples: [{ command: "strake registry referrers ghcr.io/team/app:1", summary: "What there is about it" }],
  async run({ options, positionals: [named = ""] }, context) {
    const { stdout, signal } = context;
    const { reference, name } = parseRemoteName(named);
    await using client = await openPlainRegistry(context);
    const repository = client.repository(reference);
    const subject = isDigest(name)
      ? name
      : (await suggestingTags(client, reference, () => repository.resolve(name, { signal }), signal))
          .descriptor.digest;
    const found = await repository.listReferrers(subject, {
      ...(options.type === undefined ? {} : { artifactType: options.type }),
      signal,
    });
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
