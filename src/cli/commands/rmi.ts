import { formatPlatform } from "../../oci/index.ts";
import { idOf } from "../../store/images/index.ts";
import type { ImageRecord, Store } from "../../store/index.ts";
import { defineCommand } from "../command.ts";
import { CliError } from "../error.ts";
import { printError } from "../errors/print-error.ts";
import { matchImage, namesOf } from "../images/find-images.ts";
import { familiarName, hasName } from "../images/names.ts";
import { openStore } from "../open-store.ts";

export const rmi = defineCommand({
  operands: "IMAGE...",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "A name removes that name; an image ID removes the image, with -f also if it has several names. " +
      "The layers stay in the store, for the cache and for other images.",
  ],
  options: {
    force: {
      type: "boolean",
      short: "f",
      summary: "Remove all names of an image ID, and say nothing of what is not there",
    },
  },
  examples: [
    { command: "strake rmi app:1.1", summary: "One name" },
    {
      command: "strake rmi -f $(strake images -q app)",
      summary: "All images of a repository, with the other names that they have",
    },
  ],
  async run({ options, positionals }, context) {
    await using store = await openStore(context);
    let failures = 0;
    for (const text of positionals) {
      try {
        for (const record of await toRemove(store, text, options.force)) {
          await store.images.remove(record.reference);
          context.stdout.write(
            hasName(record) ? `Untagged: ${familiarName(record)}\n` : `Removed: ${idOf(record)}\n`,
          );
        }
      } catch (error) {
        // The others are still removed, as Docker does it.
        if (!(error instanceof CliError)) throw error;
        if (options.force && error.code === "IMAGE_NOT_FOUND") continue;
        failures++;
        await printError(error, context);
      }
    }
    return failures > 0 ? 1 : 0;
  },
});

async function toRemove(store: Store, text: string, isForced: boolean): Promise<readonly ImageRecord[]> {
  const { record, by } = await matchImage(store.images, text);
  if (by === "name") return [record];
  const all = await namesOf(store.images, record);
  if (all.length === 0) {
    throw new CliError(
      "IMAGE_IN_USE",
      `Cannot remove image "${text}": it is the ${formatPlatform(record.platform)} image of another`,
      { hint: "Remove the name that it belongs to: strake images lists them" },
    );
  }
  if (all.length > 1 && !isForced) {
    throw new CliError(
      "IMAGE_IN_USE",
      `Cannot remove image "${text}": it has ${all.length} names (${all.filter(hasName).map(familiarName).join(", ")})`,
      { hint: "Name one of them, or give -f to remove them all" },
    );
  }
  return all;
}
