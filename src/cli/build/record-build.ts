import type { BuildOptions, BuildResult, Collaborators, OnEvent } from "../../builder/index.ts";
import { BuildRecorder, type BuildSubject, isPruningDue, pruneRecords } from "../../builder/records/index.ts";
import { formatFamiliarReference, parseReference } from "../../oci/index.ts";
import type { CommandContext } from "../command.ts";

/** Starts the record of a build, which `strake logs` and `strake debug` read. */
export function openRecorder(
  store: Collaborators["store"],
  options: Pick<BuildOptions, "context" | "dockerfile" | "target" | "names">,
  { now, nowMs, onEvent }: Pick<CommandContext, "now" | "nowMs"> & { readonly onEvent: OnEvent },
): BuildRecorder {
  return new BuildRecorder({
    storeRoot: store.root,
    subject: describeSubject(options),
    now,
    monotonic: nowMs,
    onFailure: (error) => {
      const reason = error instanceof Error ? error.message : String(error);
      onEvent({ kind: "warning", message: `This build's log cannot be kept: ${reason}` });
    },
  });
}

/** Builds, and writes down how it ended. */
export async function runRecorded(
  recorder: BuildRecorder,
  options: BuildOptions,
  collaborators: Collaborators,
): Promise<BuildResult> {
  const { build } = await import("../../builder/index.ts");
  let isFailed = true;
  try {
    const result = await build(collaborators, { ...options, onFailedStep: recorder.keepFailedStep });
    recorder.end({ status: "done", imageId: result.imageId });
    isFailed = false;
    return result;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    recorder.end(
      options.signal?.aborted === true ? { status: "canceled" } : { status: "failed", error: message },
    );
    throw error;
  } finally {
    await pruneAfter(recorder, collaborators, isFailed);
  }
}

/** Forgets builds that are older than what is kept. That this fails is no reason to fail a build. */
async function pruneAfter(
  { id, logBytes }: BuildRecorder,
  { store, now }: Pick<Collaborators, "store" | "now">,
  isFailed: boolean,
): Promise<void> {
  try {
    if (!(await isPruningDue(store.root, { now: now(), isFailed, logBytes }))) return;
    await pruneRecords({ store, now: now(), keep: id });
  } catch {
    // Left to the next build.
  }
}

function describeSubject({
  context,
  dockerfile,
  target,
  names,
}: Parameters<typeof openRecorder>[1]): BuildSubject {
  return {
    dockerfile: dockerfile.shownAs,
    context: describeContext(context),
    ...(target === undefined ? {} : { target }),
    names: names.map((name) => formatFamiliarReference(parseReference(name))),
  };
}

function describeContext(context: BuildOptions["context"]): string {
  switch (context.kind) {
    case "dir":
      return context.path;
    case "tar-stream":
      return "-";
    case "url":
      // What stands before the host may be a password.
      return context.url.replace(/(?<=^[a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "").replace(/\?.*$/s, "");
    case "docker-image":
      return `docker-image://${context.reference}`;
    case "oci-layout":
      return `oci-layout://${context.path}`;
    default:
      return context satisfies never;
  }
}
