import { defineCommand } from "../command.ts";
import { fetchChosen } from "../registry/fetch-chosen.ts";
import { openPlainRegistry } from "../registry/open-plain.ts";
import { parsePlatformFlag } from "../registry/platform-flag.ts";
import { parseRemoteName } from "../registry/remote-name.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";

export const registryDigest = defineCommand({
  operands: "NAME[:TAG]",
  count: { min: 1, max: 1 },
  details: [
    "Prints the digest that a tag has now. Nothing is fetched for it but headers, which no registry counts as a pull.",
  ],
  options: {
    platform: {
      type: "string",
      value: "OS/ARCH",
      summary: "The digest of the manifest for this platform, not of the index",
    },
    full: { type: "boolean", summary: "With the name in front: NAME@DIGEST" },
    json: { type: "boolean", summary: "As JSON: media type, digest and size" },
    ...RETRY_FLAGS,
  },
  examples: [{ command: "strake registry digest debian:12", summary: "What to pin a base image to" }],
  async run({ options, positionals: [named = ""] }, context) {
    const { stdout, signal } = context;
    const remote = parseRemoteName(named);
    const { reference, name } = remote;
    const platform = parsePlatformFlag(options.platform);
    await using client = await openPlainRegistry(context);
    const { descriptor } =
      platform === undefined
        ? await suggestingTags(
            client,
            reference,
            () => client.repository(reference).resolve(name, { signal }),
            signal,
          )
        : await fetchChosen(client, remote, { platform, signal });
    const { mediaType, digest, size } = descriptor;
    if (options.json) stdout.write(`${JSON.stringify({ mediaType, digest, size })}\n`);
    else stdout.write(options.full ? `${remote.shown.replace(/@.*/, "")}@${digest}\n` : `${digest}\n`);
    return undefined;
  },
});
