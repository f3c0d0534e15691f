import type { EnterCommand } from "../../builder/debug/index.ts";
import { listBuilds, RecordPaths } from "../../builder/records/index.ts";
import { parseSecret } from "../build/secrets.ts";
import { parseSshAgent } from "../build/ssh-agents.ts";
import { enterBuild } from "../builds/enter-build.ts";
import { findBuild } from "../builds/find-build.ts";
import { type CommandContext, defineCommand } from "../command.ts";
import { CliError, usageError } from "../error.ts";

export const debug = defineCommand({
  operands: "[BUILD] [-- PROGRAM [ARG...]]",
  count: { min: 0, max: Number.POSITIVE_INFINITY },
  details: [
    "Opens a shell where a build failed: with the step's files as it left them, its environment, user, folder and mounts. Nothing is " +
      "run again, and what is changed there is thrown away. Of a failed COPY or ADD it shows the files before it.",
    "BUILD is the ID of a build or the beginning of it, or ^1 for the one before the last; the last that has a failed step when absent. " +
      "Those of the newest three such builds are kept, for seven days.",
    "Secrets are not kept: they are there only as far as --secret and --ssh give them again.",
  ],
  options: {
    command: {
      type: "string",
      short: "c",
      value: "LINE",
      summary: "Run this in the shell instead of opening it",
    },
    shell: {
      type: "string",
      value: "PATH",
      default: "the step's own, else /bin/sh",
      summary: "Shell of the image to use",
    },
    "host-shell": {
      type: "string",
      value: "FILE",
      summary: "Lend the image a static shell of this machine, such as /bin/busybox",
    },
    user: {
      type: "string",
      short: "u",
      value: "USER[:GROUP]",
      default: "the step's",
      summary: "User to enter as",
    },
    env: { type: "list", short: "e", value: "NAME=VALUE", summary: "One more variable" },
    secret: {
      type: "list",
      value: "id=ID[,src=FILE|,env=NAME]",
      summary: "Secret for the step's mounts of type secret",
    },
    ssh: { type: "list", value: "ID[=SOCKET]", summary: "SSH agent for the step's mounts of type ssh" },
  },
  examples: [
    { command: "strake debug", summary: "Look around where the last build failed" },
    { command: "strake debug -c 'cat config.log'", summary: "Look at a file that the step wrote" },
    {
      command: "strake debug 3f9a -- env",
      summary: "Run a program of the image in the step of a certain build",
    },
  ],
  needsRoot: () => true,
  async run({ options, positionals, beforeDashes }, context) {
    const [buildName, extra] = positionals.slice(0, beforeDashes);
    const program = beforeDashes === undefined ? [] : positionals.slice(beforeDashes);
    if (extra !== undefined)
      throw usageError(`Cannot read "${extra}"`, `Put -- before a program to run: strake debug -- ${extra}`);
    const { cwd, settings, stderr } = context;
    const { variables } = settings;
    const warn = (message: string): void => stderr.write(`warning: ${message}\n`);
    const secrets = await Promise.all(
      options.secret.map((text) => parseSecret(text, { cwd, variables, warn })),
    );
    const agents = { cwd, defaultSocket: settings.sshAgentSocket };
    const ssh = await Promise.all(options.ssh.map((text) => parseSshAgent(text, agents)));
    return enterBuild(
      buildName === undefined ? await findLastFailed(context) : findBuild(buildName, context).id,
      {
        command: readCommand(options.command, program),
        ...(options.shell === undefined ? {} : { shell: options.shell }),
        ...(options["host-shell"] === undefined
          ? {}
          : { hostShell: await findHostShell(options["host-shell"], cwd) }),
        ...(options.user === undefined ? {} : { user: options.user }),
        env: options.env.map(checkVariable),
        secrets,
        ssh,
      },
      context,
    );
  },
});

function readCommand(line: string | undefined, program: readonly string[]): EnterCommand {
  if (line !== undefined && program.length > 0)
    throw usageError(
      "Cannot run both a line of the shell and a program",
      "Give --command or what follows --",
    );
  if (line !== undefined) return { kind: "line", text: line };
  return program.length > 0 ? { kind: "program", argv: program } : { kind: "shell" };
}

function checkVariable(text: string): string {
  if (/^[^=]+=/s.test(text)) return text;
  throw usageError(`Cannot read --env "${text}"`, "Write NAME=VALUE");
}

async function findHostShell(file: string, cwd: string): Promise<string> {
  const [{ realpath }, { resolve }] = await Promise.all([import("node:fs/promises"), import("node:path")]);
  return realpath(resolve(cwd, file)).catch((cause: unknown) => {
    throw new CliError("INPUT_UNUSABLE", `Cannot lend "${file}" as a shell: it is not there`, {
      hint: "A static one comes with the package busybox-static, as /bin/busybox",
      cause,
    });
  });
}

/** The newest build of which a failed step is kept. */
async function findLastFailed({ settings: { storeRoot } }: CommandContext): Promise<string> {
  const { existsSync } = await import("node:fs");
  const found = listBuilds(storeRoot).find(({ id }) => existsSync(new RecordPaths(storeRoot, id).failedStep));
  if (found !== undefined) return found.id;
  throw new CliError("BUILD_NOT_FOUND", "Cannot find a failed step to enter", {
    hint: "Those of the newest three builds that have one are kept, for seven days; strake logs --list lists all builds",
  });
}
