import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Digest } from "../../oci/index.ts";
import type { SandboxSpec } from "../../runner/types.ts";
import { MergedTree } from "../../store/layers/index.ts";
import type { Collaborators } from "../collaborators.ts";
import { BuildError } from "../error.ts";
import type { OnEvent } from "../events.ts";
import { resolveUser } from "../files/index.ts";
import type { ExecMount } from "../graph/vertex.ts";
import { holdCaches } from "../solve/cache-mounts.ts";
import { openMounts } from "../solve/exec-mounts.ts";
import { LayerAccess } from "../solve/layer-access.ts";
import { environmentWith } from "../solve/run-environment.ts";
import { imageState } from "../solve/state.ts";
import type { BuildOptions } from "../types.ts";
import { chooseShell } from "./choose-shell.ts";
import type { FailedStep, MountedLayers } from "./failed-step.ts";

/** What is run in the step: a shell to type into, a line for it, or a program of the image. */
export type EnterCommand =
  | { readonly kind: "shell" }
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "program"; readonly argv: readonly string[] };

export interface EnterOptions extends Pick<BuildOptions, "secrets" | "ssh"> {
  readonly command: EnterCommand;
  /** Path of a shell in the image; chosen when absent. */
  readonly shell?: string;
  /** Path of a static shell on this machine, to be lent to the image. */
  readonly hostShell?: string;
  /** As USER takes it; the step's when absent. */
  readonly user?: string;
  /** `NAME=value`, in addition to the step's. */
  readonly env: readonly string[];
  /** Whether our standard input and output are a terminal, to be passed through. */
  readonly terminal: boolean;
  readonly onEvent: OnEvent;
  /** Called when all is there, right before the command gets the standard streams. */
  readonly onReady: () => void;
  readonly signal: AbortSignal;
}

/** Where a lent shell shows up. */
const LENT_FOLDER = "/.strake";

const DEFAULT_RUN = {
  network: "default",
  insecure: false,
  shmSizeBytes: 64 << 20,
  ulimits: [],
  extraHosts: [],
  mounts: [],
} as const;

/**
 * Runs a command in the file system of a failed step, as the step left it, with the step's environment, user, folder and
 * mounts, and with our own standard streams. Nothing of the build is done again, and what the command changes is thrown away.
 * Secrets are there as far as they are given.
 *
 * @param files the folder with the changes of the step, an overlay's upper folder; it need not exist
 * @returns the command's exit code
 * @throws {BuildError} CANNOT_ENTER; {RunnerError}; whatever fetching a layer throws
 */
export async function enterFailedStep(
  step: FailedStep,
  files: string,
  collaborators: Pick<Collaborators, "store" | "sandbox" | "remote" | "now" | "monotonic">,
  options: EnterOptions,
): Promise<number> {
  const { signal, onEvent, secrets, ssh } = options;
  const { store, sandbox, remote, now, monotonic } = collaborators;
  const run = { ...DEFAULT_RUN, ...step.run };
  const layers = new LayerAccess({
    store,
    images: await findSources([...step.layers, ...run.mounts.flatMap(layersOf)], { store, remote }),
    onEvent,
    monotonic,
    signal,
  });
  const below = await layers.folders(imageState(step.layers));
  const lower = (await stat(files).catch(() => undefined)) === undefined ? below : [files, ...below];
  const tree = new MergedTree(lower);
  const user = findUser(options.user ?? step.user, tree);
  const mounts = run.mounts.map(asOptional);
  using caches = await holdCaches(store, mounts, { signal, now });
  await using session = await openMounts(
    { store, layers },
    { mounts, env: step.env, at: undefined },
    { layers: async (from) => from.layers, caches, secrets, ssh },
  );
  const { argv, lent } = commandOf(step, tree, options);
  await using pending = await store.layers.prepareSnapshot();
  const spec: SandboxSpec = {
    lower,
    upper: pending.upper,
    work: pending.work,
    argv,
    env: environmentWith({ env: step.env, proxyEnv: [] }, user.home, [...session.env, ...options.env]),
    cwd: step.cwd,
    uid: user.uid,
    gid: user.gid,
    additionalGids: user.additionalGids,
    mounts: [...session.mounts, ...lent],
    network: run.network === "none" ? "none" : "host",
    hostname: "strake-debug",
    insecure: run.insecure,
    shmSizeBytes: run.shmSizeBytes,
    ulimits: run.ulimits,
    extraHosts: run.extraHosts,
  };
  options.onReady();
  const { exitCode } = await sandbox.run(spec, {
    signal,
    onOutput: () => undefined,
    attach: { terminal: options.terminal },
  });
  return exitCode;
}

/** The secrets and agents that a step mounts and that were not given. */
export function missingSecrets(
  { run }: FailedStep,
  { secrets, ssh }: Pick<BuildOptions, "secrets" | "ssh">,
): readonly string[] {
  const missing = (run?.mounts ?? []).flatMap((mount) => {
    if (mount.kind === "secret" && !secrets.some(({ id }) => id === mount.secretId))
      return [`--secret id=${mount.secretId},…`];
    return mount.kind === "ssh" && !ssh.some(({ id }) => id === mount.sshId) ? [`--ssh ${mount.sshId}`] : [];
  });
  return [...new Set(missing)];
}

function commandOf(
  step: FailedStep,
  tree: MergedTree,
  { command, shell, hostShell }: EnterOptions,
): { readonly argv: readonly string[]; readonly lent: SandboxSpec["mounts"] } {
  const target = hostShell === undefined ? undefined : `${LENT_FOLDER}/${basename(hostShell)}`;
  const lent =
    hostShell === undefined || target === undefined
      ? []
      : [{ kind: "bind" as const, source: hostShell, target, readonly: true }];
  if (command.kind === "program") return { argv: command.argv, lent };
  const program = target ?? shell ?? chooseShell(step, tree);
  // Programs that are many in one want to be told which.
  const words =
    target !== undefined && /busybox|toybox/.test(basename(program)) ? [program, "sh"] : [program];
  return { argv: command.kind === "line" ? [...words, "-c", command.text] : words, lent };
}

function findUser(spec: string, tree: MergedTree): ReturnType<typeof resolveUser> {
  try {
    return resolveUser(spec, tree);
  } catch (cause) {
    throw new BuildError("CANNOT_ENTER", `Cannot enter the step as "${spec}"`, {
      hint: "Enter it as another with --user root",
      cause,
    });
  }
}

/** Looking around must be possible without the secrets. */
function asOptional(mount: ExecMount<MountedLayers>): ExecMount<MountedLayers> {
  return mount.kind === "secret" || mount.kind === "ssh" ? { ...mount, required: false } : mount;
}

function layersOf(mount: ExecMount<MountedLayers>): readonly Digest[] {
  return mount.kind === "bind" || mount.kind === "cache" ? (mount.from?.layers ?? []) : [];
}

/** Where layers can be fetched from that were never needed before: the file system of a COPY that failed early. */
async function findSources(
  diffIds: readonly Digest[],
  { store, remote }: Pick<Collaborators, "store" | "remote">,
): Promise<ConstructorParameters<typeof LayerAccess>[0]["images"]> {
  const images = [];
  for (const diffId of new Set(diffIds)) {
    const info = await store.layers.info(diffId);
    const [origin] = info?.origins ?? [];
    if (info?.blob === undefined || origin === undefined) continue;
    images.push({
      shownAs: origin,
      origin,
      blobs: remote.blobs(origin),
      layers: [{ diffId, blob: info.blob }],
    });
  }
  return images;
}
