import { formatPlatform, hostPlatform } from "../../oci/platform.ts";
import { defineCommand } from "../command.ts";
import { VERSION } from "../version.ts";

export const version = defineCommand({
  operands: "",
  count: { min: 0, max: 0 },
  options: { json: { type: "boolean", summary: "As JSON" } },
  async run({ options }, { stdout, settings }) {
    const facts = {
      version: VERSION,
      node: process.versions.node,
      platform: formatPlatform(hostPlatform()),
      store: settings.storeRoot,
    };
    if (options.json) {
      stdout.write(`${JSON.stringify(facts, null, 2)}\n`);
    } else {
      stdout.write(
        `strake ${facts.version}\nNode.js ${facts.node} on ${facts.platform}\nStore: ${facts.store}\n`,
      );
    }
    return undefined;
  },
});
