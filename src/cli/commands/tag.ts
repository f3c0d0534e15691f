import { defineCommand } from "../command.ts";
import { findImage } from "../images/find-images.ts";
import { importImage } from "../images/import-image.ts";
import { fullName } from "../images/names.ts";
import { parsePlace } from "../images/place.ts";
import { openWorkbench } from "../images/workbench.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

export const tag = defineCommand({
  operands: "IMAGE NAME[:TAG]...",
  count: { min: 2, max: Number.POSITIVE_INFINITY },
  details: [
    "The image may also be outside the store, and is taken into it then: oci:DIR[:TAG], oci-archive:FILE[:TAG], " +
      "docker-archive:FILE[:NAME], docker://NAME.",
  ],
  options: { ...RETRY_FLAGS },
  examples: [
    {
      command: "strake tag app registry.example.com/team/app:1.2",
      summary: "Name an image for where it is pushed",
    },
  ],
  async run({ positionals: [source = "", ...targets] }, context) {
    const references = targets.map(fullName);
    const place = parsePlace(source, { cwd: context.cwd, plain: "store" });
    await using bench = openWorkbench(context);
    const store = await bench.store();
    const createdAt = new Date(context.now()).toISOString();
    const image =
      place.kind === "store"
        ? await findImage(store.images, place.name)
        : (await importImage(place, bench, { vertex: "" })).image;
    for (const reference of references) await store.images.put({ createdAt, ...image, reference });
    return undefined;
  },
});
