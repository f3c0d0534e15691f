import type { OutputSpec, WritableTarget } from "../../builder/types.ts";
import type { CommandContext } from "../command.ts";
import { CliError, usageError } from "../error.ts";
import { fullName } from "../images/names.ts";
import type { BuildFlags } from "./build-flags.ts";
import { type ParsedSpec, parseOutput } from "./outputs.ts";
import { standardOutputTarget } from "./standard-output.ts";

type OutputFlags = Pick<BuildFlags, "output" | "push" | "load" | "quiet" | "iidfile">;

interface Context extends Pick<CommandContext, "cwd" | "settings" | "stdout"> {
  readonly warn: (message: string) => void;
}

/**
 * What becomes of the result, from `-o`, `--push` and `--load`; the store when none of them says otherwise.
 * @throws {CliError} USAGE, OUTPUT_REFUSED, UNSUPPORTED
 */
export async function readOutputs(
  flags: OutputFlags,
  names: readonly string[],
  context: Context,
): Promise<readonly OutputSpec[]> {
  const { cwd, stdout } = context;
  const standardOutput = standardOutputTarget(stdout);
  const parsed = flags.output.map((text) => withFullNames(parseOutput(text, { cwd, names, standardOutput })));
  checkStandardOutput(parsed, standardOutput, flags, context);
  if (flags.push && names.length === 0) {
    throw usageError("Cannot push: the image has no name", "Name it with -t registry.example.com/name:tag");
  }
  if (flags.iidfile !== undefined && parsed.some(({ kind }) => kind === "local" || kind === "tar")) {
    throw usageError("Cannot write --iidfile of files: -o type=local and type=tar make no image");
  }
  await checkZstd(parsed, context);
  const outputs: OutputSpec[] = [];
  for (const spec of parsed)
    outputs.push(spec.kind === "load" ? await engineOutput(spec.names, context) : spec);
  if (outputs.length === 0 || flags.load || flags.push) {
    const [existing] = outputs.filter((output) => output.kind === "image");
    if (existing === undefined) outputs.push({ kind: "image", names, push: flags.push });
    else if (flags.push) outputs[outputs.indexOf(existing)] = { ...existing, push: true };
  }
  if (flags.load && !outputs.some(({ kind }) => kind === "engine")) {
    const loading = await findEngineOutput(names, context);
    if (loading !== undefined) outputs.push(loading);
    else context.warn("--load: no Docker or Podman answers here, so the image is in strake's store alone");
  }
  return outputs;
}

function withFullNames(spec: ParsedSpec): ParsedSpec {
  return "names" in spec ? { ...spec, names: spec.names.map(fullName) } : spec;
}

function checkStandardOutput(
  outputs: readonly ParsedSpec[],
  standardOutput: WritableTarget,
  flags: OutputFlags,
  { stdout }: Context,
): void {
  const count = outputs.filter(
    (output) => "destination" in output && output.destination === standardOutput,
  ).length;
  if (count === 0) return;
  if (count > 1) throw usageError("Only one output can go to standard output");
  if (stdout.isTTY) {
    throw new CliError("OUTPUT_REFUSED", "Cannot write an archive to a terminal", {
      hint: "Redirect standard output, or name a file: -o type=oci,dest=FILE",
    });
  }
  if (flags.quiet) {
    throw usageError("Cannot print the image ID (-q) where an output goes to standard output");
  }
}

/** Said before the build, not after it. */
async function checkZstd(outputs: readonly ParsedSpec[], { settings }: Context): Promise<void> {
  if (!outputs.some((output) => "compression" in output && output.compression === "zstd")) return;
  const { requireZstd } = await import("../../store/compress/index.ts");
  requireZstd(settings.searchPath);
}

async function engineOutput(names: readonly string[], context: Context): Promise<OutputSpec> {
  const output = await findEngineOutput(names, context);
  if (output !== undefined) return output;
  throw new CliError("OUTPUT_REFUSED", "Cannot load the image: no Docker or Podman answers here", {
    hint: "Write an archive, -o type=docker,dest=FILE, or set $DOCKER_HOST to where the engine listens",
  });
}

async function findEngineOutput(
  names: readonly string[],
  { settings }: Context,
): Promise<OutputSpec | undefined> {
  const { findEngine } = await import("./find-engine.ts");
  const engine = await findEngine(settings);
  return engine === undefined ? undefined : { kind: "engine", names, engine };
}
