import { hasFlag, operandsOf } from "../../shell/invocation.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { CommandView, FileView, RunInvocation } from "../file-view.ts";
import { findingAt } from "../finding.ts";

export const copyBeforeInstall = adviceRule("CopyBeforeInstall", {
  level: "info",
  description:
    "A step runs again when files copied before it have changed: with all files in front of it, dependencies are installed anew after every edit",
  fix: "Copy the files that list dependencies first, install, and copy the rest afterwards",
  check: findCopies,
});

function* findCopies({ stages }: FileView): Generator<AdviceFinding> {
  for (const { commands } of stages) {
    let whole: CommandView | undefined;
    for (const command of commands) {
      if (isWholeContext(command)) whole ??= command;
      if (whole === undefined) continue;
      const install = command.invocations.find((each) => manifestOf(each) !== undefined);
      // Dependencies that come out of a mounted cache are soon there again.
      if (install === undefined || command.mounts.some(({ type }) => type === "cache" || type === "bind"))
        continue;
      const { startLine } = command.instruction.node;
      const shown = [install.program, ...install.args.slice(0, 2).map(({ text }) => text)].join(" ");
      yield findingAt(
        whole,
        `Any change of a file makes "${shown}" in line ${startLine} run again; it needs only ${manifestOf(install)}`,
      );
      break;
    }
  }
}

function isWholeContext({ instruction }: CommandView): boolean {
  if (instruction.kind !== "COPY" && instruction.kind !== "ADD") return false;
  if (instruction.kind === "COPY" && instruction.from !== undefined) return false;
  return instruction.sources.some((source) => /^(?:\.|\.\/|\*|\.\/\*|\/)$/.test(source));
}

/** The files that an installation of a project's dependencies reads; undefined for anything else. */
function manifestOf(invocation: RunInvocation): string | undefined {
  const { program, args } = invocation;
  const operands = operandsOf(invocation).map(({ text }) => text);
  const [subcommand = ""] = operands;
  const isBare = operands.length <= 1;
  switch (program) {
    case "npm":
      return ["ci", "install", "i", "clean-install"].includes(subcommand) &&
        isBare &&
        !hasFlag(invocation, "global", "g")
        ? "package.json and package-lock.json"
        : undefined;
    case "yarn":
      return (subcommand === "install" || operands.length === 0) && isBare && !hasFlag(invocation, "version")
        ? "package.json and yarn.lock"
        : undefined;
    case "pnpm":
      return ["install", "i", "fetch"].includes(subcommand) && isBare && !hasFlag(invocation, "global", "g")
        ? "package.json and pnpm-lock.yaml"
        : undefined;
    case "pip":
    case "pip3": {
      const at = args.findIndex(({ text }) => text === "-r" || text === "--requirement");
      const file = args[at + 1]?.text;
      const isLocal = operands.some(
        (operand) => operand === "." || operand.startsWith("./") || operand === "-e",
      );
      return subcommand === "install" && at !== -1 && file !== undefined && !isLocal ? file : undefined;
    }
    case "poetry":
      return subcommand === "install" && hasFlag(invocation, "no-root")
        ? "pyproject.toml and poetry.lock"
        : undefined;
    case "go":
      return subcommand === "mod" && operands[1] === "download" ? "go.mod and go.sum" : undefined;
    case "bundle":
      return subcommand === "install" ? "Gemfile and Gemfile.lock" : undefined;
    case "dotnet":
      return subcommand === "restore" ? "the project files" : undefined;
    case "cargo":
      return subcommand === "fetch" ? "Cargo.toml and Cargo.lock" : undefined;
    case "mvn":
    case "mvnw":
      return operands.includes("dependency:go-offline") || operands.includes("dependency:resolve")
        ? "pom.xml"
        : undefined;
    default:
      return undefined;
  }
}
