import { hasFlag } from "../../shell/invocation.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView, RunInvocation } from "../file-view.ts";
import { findingOf } from "../finding.ts";
import { hasUnknownFlags, isAptInstall, subcommandOf } from "../package-managers.ts";

export const installNotConfirmed = adviceRule("InstallNotConfirmed", {
  level: "warning",
  description:
    "A package manager that asks before it installs finds nobody to answer in a build, and gives up",
  fix: "Add -y (zypper: --non-interactive, pacman: --noconfirm)",
  check: findUnconfirmed,
});

function* findUnconfirmed({ stages, dockerfile }: FileView): Generator<AdviceFinding> {
  // Somebody has answered for good: in apt.conf, in debconf, in an option of yum.conf.
  if (/Assume-Yes|assumeyes/i.test(dockerfile.source.text)) return;
  for (const command of stages.flatMap(({ commands }) => commands)) {
    for (const invocation of command.invocations) {
      const { before, redirects } = invocation.command;
      // `yes | apt-get install`, or answers from a file.
      if (before === "|" || redirects.some(({ operator }) => operator.startsWith("<"))) continue;
      if (!asks(invocation) || hasUnknownFlags(invocation)) continue;
      const shown = `${invocation.program} ${subcommandOf(invocation)}`.trim();
      yield findingOf(command, invocation, `"${shown}" asks for a confirmation that nobody can give`);
    }
  }
}

function asks(invocation: RunInvocation): boolean {
  const { program, args } = invocation;
  if (hasFlag(invocation, "help", "h") || hasFlag(invocation, "version")) return false;
  switch (program) {
    case "apt-get":
    case "apt":
      return isAptInstall(invocation) && !isAptConfirmed(invocation);
    case "yum":
    case "dnf":
      return (
        /^(?:install|update|upgrade|reinstall|groupinstall|localinstall|builddep|remove|erase)$/.test(
          subcommandOf(invocation),
        ) &&
        !hasFlag(invocation, "assumeyes", "y") &&
        !hasFlag(invocation, "assumeno")
      );
    case "zypper":
      return (
        /^(?:install|in|update|up|patch|remove|rm)$/.test(subcommandOf(invocation)) &&
        !hasFlag(invocation, "non-interactive", "n") &&
        !hasFlag(invocation, "no-confirm", "y")
      );
    case "pacman":
      return (
        args.some(({ text }) => /^-[SRU]/.test(text)) &&
        !hasFlag(invocation, "noconfirm") &&
        !isPacmanQuery(args)
      );
    default:
      return false;
  }
}

function isAptConfirmed(invocation: RunInvocation): boolean {
  const { args } = invocation;
  const isQuietTwice = args.some(({ text }) => /^-[a-z]*q[a-z]*q|^-q=[2-9]/.test(text));
  const single = args.filter(({ text }) => text === "-q" || text === "--quiet").length;
  return (
    hasFlag(invocation, "yes", "y") ||
    hasFlag(invocation, "assume-yes") ||
    hasFlag(invocation, "force-yes") ||
    hasFlag(invocation, "simulate", "s") ||
    hasFlag(invocation, "print-uris") ||
    isQuietTwice ||
    single > 1
  );
}

function isPacmanQuery(args: RunInvocation["args"]): boolean {
  // -Ss, -Si, -Sl, -Sg and -Sp only look; -Sy alone only refreshes the lists.
  return (
    args.some(({ text }) => /^-S[a-z]*[silgp]/.test(text)) || args.every(({ text }) => /^-Sy+$/.test(text))
  );
}
