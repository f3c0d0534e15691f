import { statfs } from "node:fs/promises";
import type { Ingredient, Ingredients } from "../../cache/index.ts";
import { formatPlatform } from "../../oci/index.ts";
import { RunnerError } from "../../runner/index.ts";
import type { NetworkMode, SandboxSpec } from "../../runner/types.ts";
import { packUpper } from "../../store/layers/index.ts";
import { BuildError, RunFailedError } from "../error.ts";
import { resolveUser } from "../files/index.ts";
import type { ExecVertex } from "../graph/vertex.ts";
import { emulationHint } from "./emulation-hint.ts";
import type { MountSession } from "./exec-mounts.ts";
import { OutputTail } from "./output-tail.ts";
import { environmentWith } from "./run-environment.ts";
import { SecretMask } from "./secret-mask.ts";
import type { State } from "./state.ts";
import type { MadeLayer, StepContext } from "./step.ts";

/** Below this a failure is put down to the disk. */
const FULL_DISK_BYTES = 8 << 20;

/** What BuildKit calls the machine that a RUN sees. */
const HOSTNAME = "buildkitsandbox";

/** The ingredients of a RUN's cache key. Secrets are there by id, proxies not at all, as in Docker. */
export function execIngredients(vertex: ExecVertex, parent: State, mounts: Ingredient): Ingredients {
  return {
    operation: "run",
    parent: parent.identity,
    argv: vertex.argv,
    env: vertex.env,
    cwd: vertex.cwd,
    user: vertex.user,
    network: vertex.network,
    insecure: vertex.insecure,
    mounts,
    platform: formatPlatform(vertex.platform),
    shmSizeBytes: vertex.shmSizeBytes,
    ulimits: vertex.ulimits.map(({ name, soft, hard }) => [name, soft, hard]),
    extraHosts: vertex.extraHosts.map(({ name, address }) => [name, address]),
    ...(vertex.hostname === undefined ? {} : { hostname: vertex.hostname }),
  };
}

export interface RunHelpers {
  readonly openMounts: () => Promise<MountSession>;
  /** Told when the command failed, with the folder of what it had changed, which may be moved away. */
  readonly keepFailure: (upper: string) => Promise<void>;
}

/**
 * Runs a command on a state and takes what it changed as a layer.
 * @throws {BuildError} RUN_FAILED with the exit code and the last output
 */
export async function runExec(
  context: StepContext,
  vertex: ExecVertex,
  parent: State,
  { openMounts, keepFailure }: RunHelpers,
): Promise<MadeLayer> {
  const { store, sandbox, signal } = context;
  const folders = await context.layers.folders(parent);
  const user = resolveRunUser(vertex, await context.layers.tree(parent));
  await using mounts = await openMounts();
  const pending = await store.layers.prepareSnapshot();
  try {
    const startedSeconds = Math.floor(context.now() / 1000) - 1;
    const spec: SandboxSpec = {
      lower: folders,
      upper: pending.upper,
      work: pending.work,
      argv: vertex.argv,
      env: environmentWith(vertex, user.home, mounts.env),
      cwd: vertex.cwd,
      uid: user.uid,
      gid: user.gid,
      additionalGids: user.additionalGids,
      mounts: mounts.mounts,
      network: sandboxNetwork(vertex.network),
      hostname: vertex.hostname ?? HOSTNAME,
      insecure: vertex.insecure,
      shmSizeBytes: vertex.shmSizeBytes,
      ulimits: vertex.ulimits,
      extraHosts: vertex.extraHosts,
    };
    const tail = new OutputTail();
    const show = (stream: "stdout" | "stderr", chunk: Uint8Array): void => {
      if (chunk.length === 0) return;
      tail.add(chunk);
      context.onEvent({ kind: "step-output", vertex: vertex.id, stream, chunk });
    };
    const masks = {
      stdout: SecretMask.create(mounts.secrets),
      stderr: SecretMask.create(mounts.secrets),
    };
    const { exitCode } = await sandbox
      .run(spec, {
        signal,
        onOutput: (stream, chunk) => show(stream, masks[stream]?.push(chunk) ?? chunk),
      })
      .catch(async (error: unknown) => {
        if (!signal.aborted) await keepFailure(pending.upper);
        throw await describeRunnerError(vertex, error);
      })
      .finally(() => {
        for (const stream of ["stdout", "stderr"] as const) {
          const mask = masks[stream];
          if (mask !== undefined) show(stream, mask.flush());
        }
      });
    if (exitCode !== 0) {
      const failure = await runFailed(vertex, exitCode, tail, store.root);
      await keepFailure(pending.upper);
      throw failure;
    }
    signal.throwIfAborted();
    const packed = await packUpper(pending.upper, folders, { recentSinceSeconds: startedSeconds, signal });
    return {
      diffId: packed.diffId,
      treeId: packed.treeId,
      commit: async () => void (await pending.commit(packed)),
      [Symbol.asyncDispose]: () => pending[Symbol.asyncDispose](),
    };
  } catch (error) {
    await pending[Symbol.asyncDispose]();
    throw error;
  }
}

function resolveRunUser(
  vertex: ExecVertex,
  tree: Parameters<typeof resolveUser>[1],
): ReturnType<typeof resolveUser> {
  try {
    return resolveUser(vertex.user, tree);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new BuildError("RUN_FAILED", `process "${shownCommand(vertex)}" did not start: ${cause.message}`, {
      at: vertex.at,
      hint: `The user comes from USER ${vertex.user}; the image's /etc/passwd and /etc/group must know its names`,
      cause,
    });
  }
}

/** Without a network of its own to offer, "default" is the host's. */
function sandboxNetwork(network: ExecVertex["network"]): NetworkMode {
  return network === "none" ? "none" : "host";
}

async function runFailed(
  vertex: ExecVertex,
  exitCode: number,
  tail: OutputTail,
  storeRoot: string,
): Promise<RunFailedError> {
  const hint =
    (await fullDiskHint(storeRoot)) ??
    (await emulationHint(vertex.platform, tail.text())) ??
    exitHint(exitCode, vertex);
  return new RunFailedError(
    `process "${shownCommand(vertex)}" did not complete successfully: exit code: ${exitCode}`,
    { at: vertex.at, hint, exitCode, output: tail.text() },
  );
}

/** A full disk makes commands fail in many ways, seldom with words that say so. */
async function fullDiskHint(storeRoot: string): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(storeRoot);
  const freeBytes = bavail * bsize;
  if (freeBytes > FULL_DISK_BYTES) return undefined;
  return `There is no space left on the disk of the store "${storeRoot}" (${freeBytes} bytes free): free some, then build again; finished steps are kept`;
}

function exitHint(exitCode: number, { argv }: ExecVertex): string | undefined {
  // `RUN ["echo" "x"]`: a comma is missing.
  if (exitCode === 127 && /^\["[\s\S]*"\]$/.test(argv.at(-1) ?? ""))
    return "It begins like a JSON array but is none, so a shell got it as it stands: are all commas and quotes there?";
  if (exitCode === 127) return "127 means that a command was not found in the image";
  if (exitCode === 126) return "126 means that a file was found but could not be executed";
  if (exitCode === 137) return "137 means that the command was killed, most often for want of memory";
  return undefined;
}

async function describeRunnerError(vertex: ExecVertex, error: unknown): Promise<unknown> {
  if (!(error instanceof RunnerError)) return error;
  if (error.code !== "COMMAND_NOT_FOUND" && error.code !== "COMMAND_NOT_EXECUTABLE") return error;
  return new BuildError("RUN_FAILED", `process "${shownCommand(vertex)}" did not start: ${error.message}`, {
    at: vertex.at,
    hint:
      error.hint ?? (await emulationHint(vertex.platform, error.message)) ?? notFoundHint(error.code, vertex),
    cause: error,
  });
}

function notFoundHint(code: RunnerError["code"], { argv }: ExecVertex): string | undefined {
  if (code !== "COMMAND_NOT_FOUND") return undefined;
  const [program = "", flag] = argv;
  return flag === "-c"
    ? `This stage's image has no ${program}: install it in an earlier step, or set another shell with SHELL`
    : `The image has no program ${JSON.stringify(program)}, or not in its PATH; only the shell form knows &&, $NAME and the like`;
}

function shownCommand(vertex: ExecVertex): string {
  return vertex.argv.join(" ").replaceAll("\n", "\\n");
}
