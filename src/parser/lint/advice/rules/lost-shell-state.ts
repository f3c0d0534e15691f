import { invocationOf } from "../../shell/invocation.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";
import { findingAt } from "../finding.ts";

export const lostShellState = adviceRule("LostShellState", {
  level: "warning",
  description: "Each RUN has a shell of its own: its folder, variables and options end with it",
  fix: "Write WORKDIR or ENV, or put it in front of the command that needs it",
  check: findLost,
});

const INSTEAD: Readonly<Record<string, string>> = {
  cd: "the folder of what follows is set with WORKDIR",
  pushd: "the folder of what follows is set with WORKDIR",
  export: "variables for what follows are set with ENV",
  alias: "no later RUN knows the alias",
  umask: "no later RUN has this mask",
  ulimit: "no later RUN has this limit",
  set: "no later RUN has these options; SHELL sets them",
  ".": "what the file sets is gone in the next RUN",
  source: "what the file sets is gone in the next RUN",
};

/** RUNs that do nothing but change their own shell. */
function* findLost({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.flatMap(({ commands }) => commands)) {
    const [run] = command.scripts;
    if (run === undefined || command.scripts.length > 1 || command.instruction.node.heredocs.length > 0)
      continue;
    const { commands } = run.script;
    const programs = commands.map((each) =>
      each.words.length === 0 ? "export" : invocationOf(each)?.program,
    );
    if (programs.length === 0 || programs.some((program) => INSTEAD[program ?? ""] === undefined)) continue;
    // Without an argument these only print something.
    if (
      commands.some(
        ({ words }) =>
          /^(?:ulimit|set|export|alias|umask)$/.test(words[0]?.text ?? "") &&
          !words.slice(1).some(({ text }) => !/^-[ap]$/.test(text)),
      )
    )
      continue;
    // What a redirection or an expansion does may be what the RUN is for.
    const hasEffect = commands.some(
      ({ redirects, words, assignments }) =>
        redirects.length > 0 || [...words, ...assignments].some((word) => word.commands.length > 0),
    );
    const first = programs[0] ?? "";
    if (!hasEffect) yield findingAt(command, `This RUN has no effect: ${INSTEAD[first]}`);
  }
}
