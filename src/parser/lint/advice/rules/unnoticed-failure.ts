import { invocationOf } from "../../shell/invocation.ts";
import { isOn, isOption, type RunScript } from "../../shell/run-script.ts";
import type { ShellCommand } from "../../shell/script.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { CommandView, FileView } from "../file-view.ts";
import { findingIn } from "../finding.ts";

export const unnoticedFailure = adviceRule("UnnoticedFailure", {
  level: "warning",
  description:
    "A shell goes on after a command that failed, and the step counts as done if the last one succeeds",
  fix: "Begin with set -e, or join the commands with &&",
  check: findUnnoticed,
});

/** What fails only when something is wrong with the machine, or fails on purpose. */
const HARMLESS = new Set(
  "ls mkdir touch id whoami date uname df ps echo printf export set : true test [ [[ unset umask alias local readonly declare typeset trap shopt exit return ulimit sleep which hash let pwd times".split(
    " ",
  ),
);

function* findUnnoticed({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.flatMap(({ commands }) => commands)) {
    for (const script of command.scripts) {
      const found = firstUnnoticed(script);
      if (found !== undefined) yield describe(command, script, found);
    }
  }
}

function describe(command: CommandView, script: RunScript, found: ShellCommand): AdviceFinding {
  const invocation = invocationOf(found);
  const [program, argument] =
    invocation === undefined
      ? found.words.map(({ text }) => text)
      : [invocation.program, invocation.args[0]?.text];
  const shown = [program, /^\w[\w.-]*$/.test(argument ?? "") ? argument : undefined]
    .filter(Boolean)
    .join(" ");
  const part = { script, start: found.start, end: found.end };
  return findingIn(command, part, `If "${shown}" fails, the step goes on and may succeed all the same`);
}

/** The first command whose failure is lost, if nothing makes the shell stop at failures. */
function firstUnnoticed({ script, shell }: RunScript): ShellCommand | undefined {
  if (shell.errexit) return undefined;
  const { commands } = script;
  const last = commands.at(-1)?.statement ?? 0;
  const handled = new Set(
    commands.filter(({ depth, after }) => after === "||" && depth === 0).map(({ statement }) => statement),
  );
  for (const command of commands) {
    if (makesStrict(command)) return undefined;
    if (command.statement === last) return undefined;
    const isSimple =
      command.depth === 0 && !command.isCondition && command.after !== "&" && command.after !== "|";
    if (!isSimple || handled.has(command.statement)) continue;
    if (mayFail(command) && !endsWithCheck(commands, command.statement)) return command;
  }
  return undefined;
}

/** `set -e`, `set -euo pipefail`, `trap … ERR`; `exit` ends the script whatever comes behind it. */
function makesStrict(command: ShellCommand): boolean {
  const words = command.words.map(({ text }) => text);
  if (words[0] === "trap") return words.includes("ERR");
  return (
    words[0] === "set" && words.some((word, index) => isOn(word, "e") || isOption(words, index, "errexit"))
  );
}

function mayFail(command: ShellCommand): boolean {
  if (command.words.length === 0) return false;
  const program = invocationOf(command)?.program;
  if (program === undefined) return true;
  // Removing what isn't there is no failure: rm -f.
  const isForced = command.words.some(({ text }) => isOn(text, "f"));
  return !HARMLESS.has(program) && !(program === "rm" && isForced);
}

/** Whether the next statement looks at how this one ended: `[ $? -eq 0 ]`, `status=$?`. */
function endsWithCheck(commands: readonly ShellCommand[], statement: number): boolean {
  const next = commands.filter((each) => each.statement > statement).slice(0, 1);
  return next.some(({ words, assignments }) =>
    [...words, ...assignments].some(({ text }) => text.includes("$?")),
  );
}
