import { defineCommand } from "../command.ts";
import { openPlainRegistry } from "../registry/open-plain.ts";
import { printList } from "../registry/print-list.ts";
import { parseRepository } from "../registry/remote-name.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

export const registryTags = defineCommand({
  operands: "REPOSITORY",
  count: { min: 1, max: 1 },
  options: {
    limit: { type: "string", short: "n", value: "COUNT", summary: "No more than so many" },
    json: { type: "boolean", summary: "As JSON: a list of tags" },
    ...RETRY_FLAGS,
  },
  examples: [{ command: "strake registry tags debian", summary: "Which Debians there are" }],
  async run({ options, positionals: [named = ""] }, context) {
    const { reference } = parseRepository(named);
    await using client = await openPlainRegistry(context);
    const pages = client.repository(reference).listTags({ signal: context.signal });
    await printList(pages, options, context);
    return undefined;
  },
});
