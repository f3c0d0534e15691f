import { invocationOf } from "../../shell/invocation.ts";
import { isOption, type RunScript } from "../../shell/run-script.ts";
import type { ShellCommand } from "../../shell/script.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";
import { findingIn } from "../finding.ts";

export const pipeHidesFailure = adviceRule("PipeHidesFailure", {
  level: "warning",
  description:
    "Of a pipe only the last command decides whether it failed, so that a broken download or build goes unnoticed",
  fix: 'Write set -o pipefail in front, or SHELL ["/bin/bash", "-o", "pipefail", "-c"] above',
  check: findPipes,
});

/** Programs that fetch or build, and so may well fail. */
const MAY_FAIL = new Set(
  "curl wget aria2c git svn aws gsutil gcloud az scp rsync make cmake ninja npm npx yarn pnpm pip pip3 go cargo mvn gradle dotnet bundle gem composer pytest configure".split(
    " ",
  ),
);

/** Programs that fail when what they are given is nothing or is cut off. */
const NOTICES = new Set(
  "tar bsdtar gunzip gzip zcat xz xzcat unxz bunzip2 bzip2 zstd unzip gpg gpgv apt-key cpio jq sha256sum sha512sum sha1sum md5sum shasum b2sum grep egrep fgrep docker kubectl git".split(
    " ",
  ),
);

const SHELLS = /^(?:sh|bash|dash|ash|zsh|ksh)$/;

function* findPipes({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.flatMap(({ commands }) => commands)) {
    for (const run of command.scripts) {
      for (const found of hiddenIn(run)) {
        const message = `If "${invocationOf(found)?.program}" fails, the pipe hides it`;
        yield findingIn(command, { script: run, start: found.start, end: found.end }, message);
      }
    }
  }
}

function* hiddenIn({ script, shell }: RunScript): Generator<ShellCommand> {
  let isPipefail = shell.pipefail;
  const { commands } = script;
  for (const [index, command] of commands.entries()) {
    isPipefail ||= setsPipefail(command);
    if (command.after !== "|" || isPipefail || command.isCondition) continue;
    const program = invocationOf(command)?.program;
    if (program === undefined || !MAY_FAIL.has(program) || isQuery(command)) continue;
    const readers = readersOf(commands, index);
    if (readers.some((reader) => NOTICES.has(invocationOf(reader)?.program ?? ""))) continue;
    // A download that is run at once is DownloadExecuted's, whose cure helps here too.
    if (readers.some((reader) => SHELLS.test(invocationOf(reader)?.program ?? ""))) continue;
    // What comes last may be a group: then it isn't known who reads.
    if (readers.length > 0) yield command;
  }
}

function setsPipefail({ words }: ShellCommand): boolean {
  const texts = words.map(({ text }) => text);
  return texts[0] === "set" && texts.some((_text, index) => isOption(texts, index, "pipefail"));
}

/** `git rev-parse`, `npm --version`: they ask for something that is at hand. */
function isQuery({ words }: ShellCommand): boolean {
  const [, argument = ""] = words.map(({ text }) => text);
  return /^(?:--version|-v|-V|version|config|rev-parse|describe|log|ls-files|list|show|bin|root|env|prefix)$/.test(
    argument,
  );
}

/** The commands behind a pipe, up to its end. */
function readersOf(commands: readonly ShellCommand[], index: number): readonly ShellCommand[] {
  const readers: ShellCommand[] = [];
  for (let at = index + 1; at < commands.length; at++) {
    const reader = commands[at] as ShellCommand;
    readers.push(reader);
    if (reader.after !== "|") break;
  }
  return readers;
}
