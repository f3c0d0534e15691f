import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { CommandView, FileView, StageView } from "../file-view.ts";
import { findingOf } from "../finding.ts";
import { isAptInstall, isAptUpdate, isMounted } from "../package-managers.ts";

export const aptUpdateApart = adviceRule("AptUpdateApart", {
  level: "warning",
  description:
    "The cache keeps the lists of an apt-get update in a RUN of its own, and packages installed later from old lists are gone from the servers",
  fix: "Write apt-get update && apt-get install in one RUN",
  check: findApart,
});

function* findApart({ stages }: FileView): Generator<AdviceFinding> {
  for (const stage of stages) {
    let update: CommandView | undefined = lastUpdate(stage.base);
    for (const command of stage.commands) {
      const ownUpdate = command.invocations.find(isAptUpdate);
      const install = command.invocations.find(isAptInstall);
      if (ownUpdate !== undefined) update = install === undefined ? command : undefined;
      else if (install !== undefined && update !== undefined && !isMounted(command, "/var/lib/apt/lists")) {
        const line = update.instruction.node.startLine;
        yield findingOf(
          command,
          install,
          `The package lists are those of line ${line}, however old the cache's are`,
        );
      }
    }
  }
}

/** The RUN with nothing but an update that a stage's files come from. */
function lastUpdate(stage: StageView | undefined): CommandView | undefined {
  if (stage === undefined) return undefined;
  const last = stage.commands.findLast(({ invocations }) => invocations.some(isAptUpdate));
  if (last === undefined) return lastUpdate(stage.base);
  return last.invocations.some(isAptInstall) ? undefined : last;
}
