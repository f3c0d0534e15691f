import type { BuildOptions, OnEvent } from "../../builder/index.ts";
import type { BuildRecorder } from "../../builder/records/index.ts";
import { BUILD_FLAGS, type BuildFlags } from "../build/build-flags.ts";
import { readBuildOptions } from "../build/build-options.ts";
import { parseCall } from "../build/call/parse-call.ts";
import { runCall } from "../build/call/run-call.ts";
import { describeResult } from "../build/describe-result.ts";
import { openRecorder, runRecorded } from "../build/record-build.ts";
import { removeStaleResults, writeResults } from "../build/result-files.ts";
import { openCollaborators } from "../builds/open-collaborators.ts";
import { type CommandContext, defineCommand } from "../command.ts";
import { usageError } from "../error.ts";
import { EXIT } from "../main.ts";
import { createPaint } from "../paint.ts";
import type { ProgressKind } from "../progress/create-view.ts";
import { openView } from "../progress/open-view.ts";
import { progressKind } from "../progress/progress-flags.ts";

export const build = defineCommand({
  operands: "CONTEXT | - | URL",
  count: { min: 1, max: 1 },
  details: [
    "CONTEXT is the folder whose files COPY and ADD read. With - an archive of one, or a Dockerfile alone, " +
      "is read from standard input. The image goes into the store unless -o says otherwise.",
  ],
  options: BUILD_FLAGS,
  examples: [
    { command: "strake build -t app .", summary: "Build the folder's Dockerfile and name the image" },
    {
      command: "strake build -t registry.example.com/app:1.2 --push .",
      summary: "Build and push",
    },
    { command: "strake build -o type=oci,dest=app.tar .", summary: "Write an OCI archive instead" },
    {
      command: "strake build --target dist -o out .",
      summary: "Take the files of a stage, without an image",
    },
    {
      command: "strake build --secret id=npm,src=$HOME/.npmrc .",
      summary: "Let RUN --mount=type=secret,id=npm read a file",
    },
  ],
  needsRoot: ({ call, check }) => parseCall(call, check) === undefined,
  async run({ options, positionals: [operand = ""] }, context) {
    const call = parseCall(options.call, options.check);
    if (call !== undefined) {
      const read = await readBuildOptions(options, operand, context, () => undefined);
      noteSource(read, context);
      return runCall(call, read, context);
    }
    const kind = progressKind(options, context.settings);
    return buildImage(options, operand, kind, context);
  },
});

async function buildImage(
  flags: BuildFlags,
  operand: string,
  kind: ProgressKind,
  context: CommandContext,
): Promise<number> {
  const { cwd, signal, stdout, stderr } = context;
  const shouldEnter = readOnFail(flags["on-fail"], context);
  const warnings: string[] = [];
  const options = await readBuildOptions(flags, operand, context, (warning) => warnings.push(warning));
  noteSource(options, context);
  await removeStaleResults(flags, cwd);

  let recorder: BuildRecorder | undefined;
  const view = await openView(kind, "Building", context, (step) =>
    recorder === undefined ? undefined : `strake logs ${recorder.id} ${step}`,
  );
  const onEvent: OnEvent = (event) => {
    recorder?.onEvent(event);
    view.onEvent(event);
  };
  for (const message of warnings) onEvent({ kind: "warning", message });
  try {
    await using collaborators = await openCollaborators(context, onEvent);
    recorder = openRecorder(collaborators.store, options, { ...context, onEvent: view.onEvent });
    const onDockerfile = (file: string, text: Uint8Array): void =>
      void context.sources.set(file, Buffer.from(text).toString("utf8"));
    const result = await runRecorded(recorder, { ...options, onEvent, onDockerfile, signal }, collaborators);
    view.close();
    await writeResults(flags, { result, names: options.names, cwd });
    if (flags.quiet) {
      stdout.write(`${result.id}\n`);
    } else if (kind !== "quiet" && kind !== "rawjson") {
      const paint = createPaint(stderr, context.settings);
      const [first = "", ...rest] = describeResult(result, options, cwd);
      stderr.write([paint.bold(first), ...rest].map((line) => `${line}\n`).join(""));
    }
    return EXIT.done;
  } catch (error) {
    view.close();
    if (recorder === undefined || signal.aborted) throw error;
    const { endFailedBuild } = await import("../build/end-failed-build.ts");
    return endFailedBuild(error, recorder, context, shouldEnter ? options : undefined);
  } finally {
    view.close();
  }
}

/** Whether a shell is to be opened where the build fails. @throws {CliError} USAGE */
function readOnFail(what: string | undefined, { isInteractive }: CommandContext): boolean {
  if (what === undefined || what === "stop") return false;
  if (what !== "shell") throw usageError(`Cannot do --on-fail=${what}`, "It is stop or shell");
  if (isInteractive) return true;
  throw usageError(
    "Cannot do --on-fail=shell: standard input and output are no terminal",
    "Leave it out, and look at the failed step afterwards: strake debug -c LINE",
  );
}

/** Lets messages show lines of a Dockerfile that is no file. */
function noteSource({ dockerfile }: Pick<BuildOptions, "dockerfile">, { sources }: CommandContext): void {
  if (dockerfile.kind !== "text") return;
  sources.set(dockerfile.shownAs, Buffer.from(dockerfile.text).toString("utf8"));
}
