import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";

export const unusedStage = adviceRule("UnusedStage", {
  level: "info",
  description:
    "A stage that nothing is copied from and nothing is built on is not built, unless --target asks for it",
  fix: "Remove it, or give it a name if it is meant for --target",
  check: findUnused,
});

/** Only stages that can't be meant for --target: without a name, or with nothing in them but another image. */
function* findUnused({ stages }: FileView): Generator<AdviceFinding> {
  for (const { stage, index, base, isUsed } of stages) {
    if (isUsed || index === stages.length - 1) continue;
    const { from, name, commands, baseName } = stage;
    // Another name for a stage is a target; an empty one stands for --build-context.
    if (name !== undefined && (commands.length > 0 || base !== undefined || baseName === "scratch")) continue;
    const shown =
      name === undefined ? `Stage ${index} has no name, and` : `Stage "${name}" has nothing in it, and`;
    yield { message: `${shown} no other stage uses it`, range: from.node.range, comments: from.comments };
  }
}
