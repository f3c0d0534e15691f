import { defineCommand } from "../command.ts";
import { commandFamily, findCommand } from "../find-command.ts";
import { formatCommandFamily, formatCommandHelp, formatCommandList } from "../help/format-help.ts";
import { missingCommand } from "../help/missing-command.ts";

export const help = defineCommand({
  operands: "[COMMAND]",
  count: { min: 0, max: 2 },
  options: {},
  async run({ positionals }, context) {
    const { commands, stdout } = context;
    const [first] = positionals;
    const found = findCommand(commands, positionals);
    if (found !== undefined && found.rest.length > 0) return missingCommand([positionals.join(" ")], context);
    if (first === undefined) {
      stdout.write(formatCommandList(commands, stdout));
    } else if (found !== undefined) {
      stdout.write(formatCommandHelp(found.entry, await found.entry.load(), stdout));
    } else {
      const family = commandFamily(commands, first);
      if (family.length === 0 || positionals.length > 1) return missingCommand(positionals, context);
      stdout.write(formatCommandFamily(first, family));
    }
    return undefined;
  },
});
