import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { BuildOptions } from "../../../builder/index.ts";
import { formatPlatform, hostPlatform } from "../../../oci/index.ts";
import type { CommandContext } from "../../command.ts";
import { createPaint } from "../../paint.ts";
import type { Call } from "./parse-call.ts";

type Options = Pick<
  BuildOptions,
  "dockerfile" | "context" | "target" | "buildArgs" | "platforms" | "secrets" | "ssh"
>;

/**
 * Checks or describes a Dockerfile, on standard output.
 * @returns the exit code: 1 when a check found something
 */
export async function runCall(
  { method, format }: Call,
  options: Options,
  context: CommandContext,
): Promise<number> {
  const { stdout } = context;
  const bytes = await readText(options, context);
  const print = (value: unknown): void => stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  if (method === "check") return runCheck(bytes, { format, options, context, print });

  const { parseDockerfile } = await import("../../../parser/index.ts");
  const dockerfile = parseDockerfile(bytes, { filename: options.dockerfile.shownAs });
  // For those who want to show the lines that are meant.
  const sources = [Buffer.from(bytes).toString("base64")];
  if (method === "targets") {
    const { formatTargets, listTargets, targetsToJson } = await import("./targets.ts");
    const targets = listTargets(dockerfile);
    if (format === "json") print({ ...targetsToJson(targets), sources });
    else stdout.write(formatTargets(targets));
  } else {
    const { formatOutline, outlineOf, outlineToJson } = await import("./outline.ts");
    const outline = outlineOf(dockerfile, { target: options.target, buildArgs: options.buildArgs });
    if (format === "json") print({ ...outlineToJson(outline), sources });
    else stdout.write(formatOutline(outline));
  }
  return 0;
}

async function runCheck(
  bytes: Uint8Array,
  {
    format,
    options,
    context,
    print,
  }: {
    readonly format: Call["format"];
    readonly options: Options;
    readonly context: CommandContext;
    readonly print: (value: unknown) => void;
  },
): Promise<number> {
  const [{ checkDockerfile }, { diagnosticsToJson, formatDiagnostics, formatTotal }] = await Promise.all([
    import("../../../parser/index.ts"),
    import("./check.ts"),
  ]);
  const host = formatPlatform(hostPlatform());
  const [platform] = options.platforms;
  const { diagnostics, error } = checkDockerfile(bytes, {
    filename: options.dockerfile.shownAs,
    buildArgs: options.buildArgs,
    target: options.target,
    buildPlatform: host,
    targetPlatform: platform === undefined ? host : formatPlatform(platform),
    dockerignore: await readIgnoreFile(options),
  });
  if (format === "json") {
    print(diagnosticsToJson(diagnostics, error));
    return diagnostics.length > 0 || error !== undefined ? 1 : 0;
  }
  const paint = createPaint(context.stdout, context.settings);
  context.stdout.write(formatDiagnostics(diagnostics, { text: Buffer.from(bytes).toString("utf8"), paint }));
  if (error !== undefined) throw error;
  context.stdout.write(formatTotal(diagnostics));
  return diagnostics.length > 0 ? 1 : 0;
}

async function readText(options: Options, context: CommandContext): Promise<Uint8Array> {
  const { dockerfile } = options;
  if (dockerfile.kind === "text") return dockerfile.text;
  if (dockerfile.kind === "path" && isAbsolute(dockerfile.path)) return readFile(dockerfile.path);
  const { fetchDockerfile } = await import("../../../builder/index.ts");
  const { now, nowMs: monotonic, signal, settings, sources } = context;
  const folder = await mkdtemp(join(tmpdir(), "strake-"));
  try {
    const surroundings = { folder, now, monotonic, signal, environment: settings.variables };
    const { text } = await fetchDockerfile(options, surroundings);
    sources.set(dockerfile.shownAs, Buffer.from(text).toString("utf8"));
    return text;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `Dockerfile.dockerignore` beside the Dockerfile, else `.dockerignore` in the context; undefined where neither is. */
async function readIgnoreFile({ dockerfile, context }: Options): Promise<Uint8Array | undefined> {
  const candidates = [
    ...(dockerfile.kind === "path" ? [`${dockerfile.path}.dockerignore`] : []),
    ...(context.kind === "dir" ? [join(context.path, ".dockerignore")] : []),
  ];
  for (const path of candidates) {
    const found = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (found !== undefined) return found;
  }
  return undefined;
}
