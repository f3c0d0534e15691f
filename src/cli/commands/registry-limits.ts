import { defineCommand } from "../command.ts";
import { openPlainRegistry } from "../registry/open-plain.ts";
import { parseRemoteName } from "../registry/remote-name.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

/** Docker's own image for this question; asking for its headers counts as no pull. */
const PREVIEW = "ratelimitpreview/test";

export const registryLimits = defineCommand({
  operands: "[NAME[:TAG]]",
  count: { min: 0, max: 1 },
  details: [
    "Docker Hub tells how many pulls it allows and how many are left, for the user that is logged in or else for the address. " +
      "Another registry is asked by an image that it has; most have no limit or don't tell it.",
  ],
  options: { json: { type: "boolean", summary: "As JSON" }, ...RETRY_FLAGS },
  examples: [{ command: "strake registry limits", summary: "Docker Hub's" }],
  async run({ options, positionals: [named = PREVIEW] }, context) {
    const { stdout, signal } = context;
    const { reference, name } = parseRemoteName(named);
    await using client = await openPlainRegistry(context);
    const found = await client.repository(reference).fetchRateLimit(name, { signal });
    if (options.json) {
      stdout.write(`${JSON.stringify(found ?? null)}\n`);
    } else if (found === undefined) {
      stdout.write(`${reference.registry} tells no limit\n`);
    } else {
      const { limit, remaining, windowSeconds, source } = found;
      const window = windowSeconds === undefined ? "" : ` in ${formatWindow(windowSeconds)}`;
      const left = remaining === undefined ? "" : `, ${remaining} left`;
      const who = source === undefined ? "" : ` (counted for ${source})`;
      stdout.write(`${reference.registry}: ${limit} pulls${window}${left}${who}\n`);
    }
    return undefined;
  },
});

function formatWindow(seconds: number): string {
  return seconds % 3600 === 0 ? `${seconds / 3600} h` : `${seconds} s`;
}
