import { hasFlag } from "../../shell/invocation.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";
import { findingOf } from "../finding.ts";
import { isMounted, removes, subcommandOf } from "../package-managers.ts";

export const apkCacheLeft = adviceRule("ApkCacheLeft", {
  level: "info",
  description: "apk leaves its index in the layer unless it is told not to keep it",
  fix: "Write apk add --no-cache; apk update is not needed then",
  check: findIndexes,
});

const CACHE = "/var/cache/apk";

function* findIndexes({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.filter(({ isShipped }) => isShipped).flatMap(({ commands }) => commands)) {
    if (removes(command, CACHE) || isMounted(command, CACHE) || isMounted(command, "/etc/apk/cache"))
      continue;
    const leaving = command.invocations.find(
      (each) =>
        each.program === "apk" &&
        ["add", "update", "upgrade"].includes(subcommandOf(each)) &&
        !hasFlag(each, "no-cache") &&
        // Of packages that are there already.
        !hasFlag(each, "no-network"),
    );
    if (leaving !== undefined)
      yield findingOf(command, leaving, "The package index that this fetches stays in the image");
  }
}
