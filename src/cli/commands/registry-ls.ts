import { DOCKER_HUB } from "../../oci/index.ts";
import { defineCommand } from "../command.ts";
import { openPlainRegistry } from "../registry/open-plain.ts";
import { printList } from "../registry/print-list.ts";
import { parseRegistryName } from "../registry/registry-name.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

export const registryLs = defineCommand({
  operands: "[REGISTRY]",
  count: { min: 0, max: 1 },
  details: ["Only registries of one's own tell such a list; Docker Hub, GitHub's and Google's do not."],
  options: {
    limit: { type: "string", short: "n", value: "COUNT", summary: "No more than so many" },
    json: { type: "boolean", summary: "As JSON: a list of names" },
    ...RETRY_FLAGS,
  },
  examples: [{ command: "strake registry ls localhost:5000", summary: "What a registry holds" }],
  async run({ options, positionals: [named] }, context) {
    const registry = named === undefined ? DOCKER_HUB : parseRegistryName(named);
    await using client = await openPlainRegistry(context);
    await printList(client.listRepositories(registry, { signal: context.signal }), options, context);
    return undefined;
  },
});
