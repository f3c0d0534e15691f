import { reportTransfer, runStep } from "../../builder/remote/index.ts";
import { bareDescriptor } from "../../oci/descriptor.ts";
import type { Descriptor } from "../../oci/index.ts";
import type { ParsedOptions } from "../args/option-table.ts";
import type { CommandContext } from "../command.ts";
import { usageError } from "../error.ts";
import { Workbench } from "../images/workbench.ts";
import { openView } from "../progress/open-view.ts";
import { type PROGRESS_FLAGS, progressKind } from "../progress/progress-flags.ts";
import { readAnnotations } from "./annotations.ts";
import type { ARTIFACT_FLAGS } from "./artifact-flags.ts";
import type { ArtifactPlace } from "./artifact-place.ts";
import type { FileArgument } from "./file-argument.ts";
import { readFile, readFiles } from "./read-files.ts";
import { type SentArtifact, sendArtifact } from "./send-artifact.ts";

export interface PushFilesRequest {
  readonly to: ArtifactPlace;
  /** As the step is shown. */
  readonly vertex: string;
  readonly files: readonly FileArgument[];
  readonly artifactType: string | undefined;
  readonly config?: FileArgument | undefined;
  /** Finds what the artifact is about. */
  readonly findSubject?: ((bench: Workbench) => Promise<Descriptor>) | undefined;
  /** Said at the end, to whoever looks on. */
  readonly remark?: string | undefined;
}

type Options = ParsedOptions<typeof ARTIFACT_FLAGS & typeof PROGRESS_FLAGS> & { readonly json: boolean };

/** Makes an artifact of files and sends it; prints its name with its digest, or all there is to say as JSON. */
export async function pushFiles(
  { to, vertex, files, artifactType, config, findSubject, remark }: PushFilesRequest,
  options: Options,
  context: CommandContext,
): Promise<undefined> {
  const { cwd, nowMs, settings, signal, stdin, stdout, stderr } = context;
  const { title } = options;
  if (title !== undefined && files.length !== 1)
    throw usageError(`Cannot call ${files.length} files "${title}"`, "--title is for one file alone");
  const annotations = await readAnnotations(options.annotation, options["annotation-file"], cwd);
  for (const path of annotations.files.keys()) {
    if (!files.some((file) => file.path === path))
      throw usageError(`Cannot annotate "${path}": it is not among the files`);
  }
  if (config === undefined && Object.keys(annotations.config).length > 0)
    throw usageError('Cannot annotate "$config": there is none', "--config FILE:MEDIATYPE gives one");
  const kind = progressKind(options, settings);
  const view = await openView(kind, "Pushing", context);
  const { onEvent } = view;
  await using bench = new Workbench(context, {
    onEvent,
    onRegistryEvent: (event) => reportTransfer(event, vertex, onEvent),
  });
  try {
    // First what may not be there at all: nobody wants to hear of it after a minute of packing.
    const subject = await findSubject?.(bench);
    const tempFolder = async (): Promise<string> => (await bench.tempFolder())();
    const reading = { cwd, stdin, tempFolder, annotations: annotations.files, signal };
    const all = config === undefined ? files : [...files, config];
    const name = `reading ${all.length === 1 ? all[0]?.path : `${all.length} files`}`;
    const read = async () => ({
      files: await readFiles(files, { ...reading, title }),
      config: config === undefined ? undefined : await readFile(config, "config", reading),
    });
    const contents =
      all.length === 0 ? await read() : await runStep({ vertex: name, name, onEvent, nowMs, signal }, read);
    const configDescriptor = contents.config?.descriptor;
    const isAnnotated = Object.keys(annotations.config).length > 0;
    const sent = await sendArtifact(
      {
        artifactType,
        files: contents.files,
        config:
          contents.config === undefined || configDescriptor === undefined || !isAnnotated
            ? contents.config
            : { ...contents.config, descriptor: { ...configDescriptor, annotations: annotations.config } },
        subject,
        annotations: Object.keys(annotations.manifest).length === 0 ? undefined : annotations.manifest,
      },
      to,
      { bench, vertex },
    );
    const result = resultOf(sent, contents.files, subject);
    view.close();
    stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${sent.name}\n`);
  } finally {
    view.close();
  }
  if (remark !== undefined && kind !== "quiet" && kind !== "rawjson") stderr.write(`${remark}\n`);
  return undefined;
}

function resultOf(
  { name, descriptor, pushed }: SentArtifact,
  files: Awaited<ReturnType<typeof readFiles>>,
  subject: Descriptor | undefined,
): object {
  const { digest, mediaType, size, artifactType } = descriptor;
  return {
    name,
    digest,
    mediaType,
    artifactType,
    size,
    ...(subject === undefined ? {} : { subject: bareDescriptor(subject) }),
    files: files.map((file) => ({
      title: file.title,
      mediaType: file.descriptor.mediaType,
      digest: file.descriptor.digest,
      size: file.descriptor.size,
    })),
    blobs: pushed.blobs,
    uploadedBytes: pushed.uploadedBytes,
  };
}
