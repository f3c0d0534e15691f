import { hasFlag, operandsOf } from "../../shell/invocation.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { CommandView, FileView, RunInvocation } from "../file-view.ts";
import { findingOf } from "../finding.ts";
import { isMounted, removes } from "../package-managers.ts";

export const packageCacheLeft = adviceRule("PackageCacheLeft", {
  level: "info",
  description:
    "Package managers of languages keep what they download for another time that never comes in an image",
  fix: "Mount a cache on the folder (RUN --mount=type=cache,target=…), which also makes the next build faster, or switch it off",
  check: findCaches,
});

interface Manager {
  readonly programs: readonly string[];
  readonly folder: string;
  readonly isFetching: (invocation: RunInvocation) => boolean;
  readonly isOff: (invocation: RunInvocation) => boolean;
  /** Variables that switch it off or put it elsewhere. */
  readonly variables: readonly string[];
}

const first = (invocation: RunInvocation): string => operandsOf(invocation)[0]?.text ?? "";

const MANAGERS: readonly Manager[] = [
  {
    programs: ["pip", "pip3", "pip2"],
    folder: "/root/.cache/pip",
    isFetching: (invocation) => first(invocation) === "install",
    isOff: (invocation) => hasFlag(invocation, "no-cache-dir"),
    variables: ["PIP_NO_CACHE_DIR", "PIP_CACHE_DIR"],
  },
  {
    programs: ["npm"],
    folder: "/root/.npm",
    isFetching: (invocation) => ["ci", "install", "i", "clean-install"].includes(first(invocation)),
    isOff: (invocation) => hasFlag(invocation, "cache"),
    variables: ["NPM_CONFIG_CACHE", "npm_config_cache"],
  },
];

function* findCaches({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.filter(({ isShipped }) => isShipped).flatMap(({ commands }) => commands)) {
    for (const manager of MANAGERS) {
      const fetching = command.invocations.find(
        (each) => manager.programs.includes(each.program) && manager.isFetching(each),
      );
      if (fetching === undefined || isHandled(command, manager)) continue;
      yield findingOf(
        command,
        fetching,
        `What ${fetching.program} has downloaded stays in ${manager.folder}`,
      );
    }
  }
}

function isHandled(command: CommandView, { folder, variables, programs, isOff }: Manager): boolean {
  const { invocations, mounts } = command;
  return (
    removes(command, folder) ||
    isMounted(command, folder) ||
    // Another user's home has the cache in another place.
    mounts.some(
      ({ type, target = "" }) => type === "cache" && target.includes(folder.replace("/root", "")),
    ) ||
    variables.some(
      (name) =>
        command.hasVariable(name) ||
        invocations.some(({ command: { assignments } }) =>
          assignments.some(({ text }) => text.startsWith(`${name}=`)),
        ),
    ) ||
    invocations.some(
      (each) =>
        programs.includes(each.program) &&
        (isOff(each) ||
          (first(each) === "cache" && /^(?:clean|purge|rm|verify)$/.test(operandsOf(each)[1]?.text ?? ""))),
    )
  );
}
