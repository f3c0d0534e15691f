import { hasFlag } from "../../shell/invocation.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";
import { findingOf } from "../finding.ts";
import { hasUnknownFlags, subcommandOf } from "../package-managers.ts";

export const aptRecommends = adviceRule("AptRecommends", {
  level: "info",
  // Whether the recommended packages are needed is not for a rule to know.
  isDefault: false,
  description: "apt-get install also installs what packages recommend, often more than was asked for",
  fix: "Add --no-install-recommends, and name what is needed of the rest",
  check: findInstalls,
});

function* findInstalls({ stages, dockerfile }: FileView): Generator<AdviceFinding> {
  if (/APT::Install-Recommends/i.test(dockerfile.source.text)) return;
  for (const command of stages.filter(({ isShipped }) => isShipped).flatMap(({ commands }) => commands)) {
    for (const invocation of command.invocations) {
      if (!/^apt(?:-get)?$/.test(invocation.program) || subcommandOf(invocation) !== "install") continue;
      if (hasFlag(invocation, "no-install-recommends") || hasUnknownFlags(invocation)) continue;
      yield findingOf(command, invocation, "Recommended packages are installed too");
    }
  }
}
