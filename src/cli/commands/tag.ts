import { defineCommand } from "../command.ts";
import { findImage } from "../images/find-images.ts";
import { fullName } from "../images/names.ts";
import { openStore } from "../open-store.ts";

export const tag = defineCommand({
  operands: "IMAGE NAME[:TAG]...",
  count: { min: 2, max: Number.POSITIVE_INFINITY },
  options: {},
  examples: [
    {
      command: "strake tag app registry.example.com/team/app:1.2",
      summary: "Name an image for where it is pushed",
    },
  ],
  async run({ positionals: [source = "", ...targets] }, context) {
    const references = targets.map(fullName);
    await using store = await openStore(context);
    const record = await findImage(store.images, source);
    for (const reference of references) await store.images.put({ ...record, reference });
    return undefined;
  },
});
