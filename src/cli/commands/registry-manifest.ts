import { defineCommand } from "../command.ts";
import { fetchChosen } from "../registry/fetch-chosen.ts";
import { openPlainRegistry } from "../registry/open-plain.ts";
import { parsePlatformFlag } from "../registry/platform-flag.ts";
import { parseRemoteName } from "../registry/remote-name.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

export const registryManifest = defineCommand({
  operands: "NAME[:TAG|@DIGEST]",
  count: { min: 1, max: 1 },
  options: {
    platform: {
      type: "string",
      value: "OS/ARCH",
      summary: "The manifest that an index has for this platform, not the index itself",
    },
    raw: { type: "boolean", summary: "Byte by byte, as the registry has it: what the digest is of" },
    ...RETRY_FLAGS,
  },
  examples: [
    { command: "strake registry manifest debian:12", summary: "An index: one entry for each platform" },
    {
      command: "strake registry manifest --platform linux/arm64 debian:12",
      summary: "The manifest of one image",
    },
  ],
  async run({ options, positionals: [named = ""] }, context) {
    const { stdout, signal } = context;
    const name = parseRemoteName(named);
    const platform = parsePlatformFlag(options.platform);
    await using client = await openPlainRegistry(context);
    const { bytes } = await fetchChosen(client, name, { platform, signal });
    if (options.raw) {
      await stdout.writeBytes(bytes);
    } else {
      const document: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
      stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    }
    return undefined;
  },
});
