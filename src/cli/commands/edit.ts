import { defineCommand } from "../command.ts";
import { EDIT_FLAGS } from "../edit/edit-flags.ts";

export const edit = defineCommand({
  operands: "SOURCE [DESTINATION]",
  count: { min: 1, max: 2 },
  details: [
    "Changes the config, the annotations, the base or the topmost layers of an image, and puts the result under DESTINATION, " +
      "or under the same name. Each image of an index is edited, unless --platform says which. SOURCE and DESTINATION are " +
      "written as for copy.",
    "Only documents are read: within a registry no layer is moved. The order is: new base, layers on top, removals, settings, " +
      "--change. What is not named stays as it is, so the same edit gives the same digest.",
  ],
  options: EDIT_FLAGS,
  examples: [
    {
      command: "strake edit --label team=web --env-rm DEBUG registry.example.com/app:1",
      summary: "In place, for every platform",
    },
    {
      command: "strake edit --entrypoint '[\"/app\"]' registry.example.com/app:1 registry.example.com/app:2",
      summary: "Under a new name",
    },
    {
      command: "strake edit --old-base debian:12.1 --new-base debian:12.2 registry.example.com/app:1",
      summary: "Onto a new version of its base, without a build",
    },
    {
      command: "strake edit --append site.tar nginx:1 oci:layout:1",
      summary: "A layer of one's own on top of another's image",
    },
    {
      command: "strake edit --dry-run -c 'HEALTHCHECK NONE' store:app",
      summary: "What would be different",
    },
  ],
  async run({ options, positionals }, context) {
    const { runEdit } = await import("../edit/run-edit.ts");
    await runEdit(options, positionals, context);
    return undefined;
  },
});
