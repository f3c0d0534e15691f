import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";
import { findingOf } from "../finding.ts";
import { hasUnknownFlags, isAptUpdate, isMounted, removes, subcommandOf } from "../package-managers.ts";

export const aptListsLeft = adviceRule("AptListsLeft", {
  level: "warning",
  description:
    "apt-get update leaves some 20 to 50 MB of package lists in the layer, of no use to who runs the image",
  fix: "End the same RUN with rm -rf /var/lib/apt/lists/*, or give it --mount=type=cache,target=/var/lib/apt",
  check: findLists,
});

const LISTS = "/var/lib/apt/lists";

function* findLists({ stages }: FileView): Generator<AdviceFinding> {
  // Only layers of the image count: what a stage leaves that files are only copied from is left behind.
  for (const command of stages.filter(({ isShipped }) => isShipped).flatMap(({ commands }) => commands)) {
    const update = command.invocations.find(isAptUpdate);
    if (update === undefined || removes(command, LISTS) || isMounted(command, LISTS)) continue;
    const isCleaned = command.invocations.some(
      (each) => /^apt(-get)?$/.test(each.program) && subcommandOf(each) === "distclean",
    );
    if (!isCleaned && !hasUnknownFlags(update)) {
      yield findingOf(command, update, "The package lists that this fetches stay in the image");
    }
  }
}
