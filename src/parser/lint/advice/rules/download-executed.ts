import { invocationOf, operandsOf } from "../../shell/invocation.ts";
import type { ShellCommand } from "../../shell/script.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView, RunInvocation } from "../file-view.ts";
import { findingOf } from "../finding.ts";

export const downloadExecuted = adviceRule("DownloadExecuted", {
  level: "warning",
  description:
    "A script that is run as it is downloaded is another one whenever its author, or who has broken in there, likes",
  fix: "Download a version of it, check its checksum (ADD --checksum, sha256sum -c), then run it",
  check: findExecuted,
});

const FETCHERS = new Set(["curl", "wget", "aria2c"]);
const INTERPRETERS = /^(?:sh|bash|dash|ash|zsh|ksh|python[\d.]*|perl|ruby|node|php)$/;

function* findExecuted({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.flatMap(({ commands }) => commands)) {
    for (const invocation of command.invocations) {
      if (!INTERPRETERS.test(invocation.program)) continue;
      if (isFedByDownload(invocation) || runsSubstitution(invocation)) {
        yield findingOf(
          command,
          invocation,
          `${invocation.program} runs what has just been downloaded, unseen`,
        );
      }
    }
  }
}

/** `curl … | sh`, also `curl … | tee log | sh`. */
function isFedByDownload({ command, args, script, program }: RunInvocation): boolean {
  // `| python -c CODE` and `| sh FILE` read the download as data.
  const hasCode =
    args.some(({ text }) => /^-\w*[cem]$/.test(text)) ||
    (program === "node" && args.some(({ text }) => text === "-p"));
  const operands = operandsOf({ args });
  const isStdin =
    operands.length === 0 || args.some(({ text }) => text === "-s" || text === "-" || text === "/dev/stdin");
  if (command.before !== "|" || hasCode || !isStdin) return false;
  const { commands } = script.script;
  for (let index = commands.indexOf(command) - 1; index >= 0; index--) {
    const feeder = commands[index] as ShellCommand;
    if (feeder.after !== "|") return false;
    if (FETCHERS.has(invocationOf(feeder)?.program ?? "")) return true;
    if (!/^(?:tee|sed|cat|tr)$/.test(invocationOf(feeder)?.program ?? "")) return false;
  }
  return false;
}

/** `sh -c "$(curl …)"`, `bash <(curl …)`. */
function runsSubstitution({ args }: RunInvocation): boolean {
  const [first, second] = args;
  const code = first !== undefined && /^-\w*c$/.test(first.text) ? second : first;
  if (code === undefined || !/^\$\(|^`|^<\(/.test(code.text)) return false;
  return code.commands.some((each) => FETCHERS.has(invocationOf(each)?.program ?? ""));
}
