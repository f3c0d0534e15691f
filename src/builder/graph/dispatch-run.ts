import { posix } from "node:path";
import { parseRunMounts, type RunInstruction, type RunMount } from "../../parser/index.ts";
import { BuildError } from "../error.ts";
import { commandLine } from "./dispatch-config.ts";
import { cleanPath } from "./paths.ts";
import type { StageState } from "./planned-stage.ts";
import type { ContextVertex, ExecMount, StateVertex } from "./vertex.ts";
import type { WordExpander } from "./word-expander.ts";

/** Where BuildKit puts the script of a heredoc that begins with `#!`. */
const SCRIPT_FOLDER = "/dev/pipes";
const SCRATCH = "scratch";

/** A RUN's command and mounts, ready to become a vertex. */
export interface PlannedRun {
  readonly argv: readonly string[];
  readonly mounts: readonly ExecMount[];
  /** The text of its history entry. */
  readonly createdBy: string;
}

/** What the mount with that index reads: the vertex that its `from` names; without one the build's context. */
export type MountSourceFinder = (
  index: number,
  from: string | undefined,
  target: string,
) => ContextVertex | StateVertex;

export interface RunPlanning {
  readonly words: WordExpander;
  readonly sourceOf: MountSourceFinder;
  /** Put in front of the names of cache mounts, so that builds with other ones share none. */
  readonly cacheNamespace: string | undefined;
}

/**
 * Plans a RUN.
 * @throws {BuildError} DOCKERFILE_INVALID; {DockerfileError} from mounts and expansion
 */
export function planRunInstruction(
  stage: StageState,
  instruction: RunInstruction,
  planning: RunPlanning,
): PlannedRun {
  const { words, sourceOf, cacheNamespace } = planning;
  const { argv, script } = runCommand(stage, instruction);
  if (argv.length === 0)
    throw new BuildError("DOCKERFILE_INVALID", "arguments are required", {
      hint: "RUN [] has no command; give one, or remove the instruction",
    });
  const mounts = parseRunMounts(instruction.mounts, (word) => words.expand(word, stage.env)).map(
    (mount, index) => {
      const planned = planMount(stage, mount, (target) => sourceOf(index, mount.from, target));
      return planned.kind === "cache" && cacheNamespace
        ? { ...planned, cacheId: `${cacheNamespace}/${planned.cacheId}` }
        : planned;
    },
  );
  return {
    argv,
    mounts: inMountOrder(script === undefined ? mounts : [script, ...mounts]),
    createdBy: `RUN ${historyText(stage, argv)} # buildkit`,
  };
}

/**
 * By target, so that what lies inside another mount is mounted after it; of several at one target the last is left.
 * Secrets come on top of those, then agents, each in their own order.
 */
function inMountOrder(mounts: readonly ExecMount[]): readonly ExecMount[] {
  const byTarget = new Map<string, ExecMount>();
  const secrets: ExecMount[] = [];
  const agents: ExecMount[] = [];
  for (const mount of mounts) {
    if (mount.kind === "secret") secrets.push(mount);
    else if (mount.kind === "ssh") agents.push(mount);
    else byTarget.set(mount.kind === "script" ? mount.folder : mount.target, mount);
  }
  const targets = [...byTarget].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return [...targets.map(([, mount]) => mount), ...secrets, ...agents];
}

/** The command line, with heredocs folded in as BuildKit does it. */
function runCommand(
  stage: StageState,
  { argv, isShellForm, files }: RunInstruction,
): { readonly argv: readonly string[]; readonly script?: ExecMount } {
  const [first] = files;
  if (first === undefined) return { argv: commandLine(stage, { argv, isShellForm }) };
  const [line = ""] = argv;
  if (/^\d*<<-?\s*[^\s<]+$/.test(line)) {
    // The heredoc is the whole command: its body is what the shell runs, or a program of its own if it says so.
    const data = first.chomp ? chomp(first.data) : first.data;
    if (!data.startsWith("#!")) return { argv: commandLine(stage, { argv: [data], isShellForm }) };
    const script = {
      kind: "script" as const,
      name: first.name,
      content: Buffer.from(data, "utf8"),
      folder: SCRIPT_FOLDER,
    };
    return { argv: commandLine(stage, { argv: [`${SCRIPT_FOLDER}/${first.name}`], isShellForm }), script };
  }
  // More than one, or with other words: the shell gets them as they were written.
  const text = [line, ...files.map((file) => `\n${file.data}${file.name}`)].join("");
  return { argv: commandLine(stage, { argv: [text], isShellForm }) };
}

/** `<<-`: leading tabs are no part of the body. */
function chomp(data: string): string {
  return data.replace(/^\t+/gm, "");
}

function planMount(
  stage: StageState,
  mount: RunMount,
  sourceOf: (target: string) => ContextVertex | StateVertex,
): ExecMount {
  if (mount.type === "secret") return planSecret(mount, stage.config.WorkingDir ?? "/");
  if (mount.type === "ssh") return planAgent(mount, stage.config.WorkingDir ?? "/");
  // Without a target it is the working directory.
  const target = cleanPath(mount.target ?? "", stage.config.WorkingDir || "/");
  if (target === "/")
    throw new BuildError("DOCKERFILE_INVALID", `invalid mount target "${target}"`, {
      hint: "Give --mount a target: target=/path",
    });
  if (mount.type === "tmpfs")
    return {
      kind: "tmpfs",
      target,
      ...(mount.sizeBytes === undefined ? {} : { sizeBytes: mount.sizeBytes }),
    };
  const source = posix.normalize(`/${mount.source ?? ""}`).replace(/(.)\/+$/, "$1");
  if (mount.type === "bind")
    return { kind: "bind", from: sourceOf(target), source, target, readonly: mount.readonly };
  return {
    kind: "cache",
    cacheId: mount.id === undefined || mount.id === "" ? posix.normalize(mount.target ?? "") : mount.id,
    sharing: mount.sharing ?? "shared",
    ...(mount.from === undefined || mount.from === SCRATCH ? {} : { from: sourceOf(target) }),
    source,
    target,
    readonly: mount.readonly,
    ...(mount.uid === undefined && mount.gid === undefined && mount.mode === undefined
      ? {}
      : // Docker makes the folder under its umask, and without the special bits.
        { folder: { uid: mount.uid ?? 0, gid: mount.gid ?? 0, mode: (mount.mode ?? 0o755) & 0o755 } }),
  };
}

function planSecret(mount: RunMount, directory: string): ExecMount {
  const secretId = mount.source ?? mount.id ?? posix.basename(mount.target ?? "");
  const isFile = mount.env === undefined || mount.target !== undefined;
  return {
    kind: "secret",
    secretId,
    ...(isFile
      ? { target: cleanPath(mount.target ?? `/run/secrets/${posix.basename(secretId)}`, directory) }
      : {}),
    ...(mount.env === undefined ? {} : { env: mount.env }),
    required: mount.required,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
    mode: mount.mode ?? 0o400,
  };
}

function planAgent(mount: RunMount, directory: string): ExecMount {
  if (mount.source !== undefined) throw new BuildError("DOCKERFILE_INVALID", "ssh does not support source");
  return {
    kind: "ssh",
    sshId: mount.id === undefined || mount.id === "" ? "default" : mount.id,
    ...(mount.target === undefined ? {} : { target: cleanPath(mount.target, directory) }),
    required: mount.required,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
    mode: mount.mode ?? 0o600,
  };
}

/** `|2 A=1 B=2 /bin/sh -c …`: the ARGs in force stand before the command. */
function historyText(stage: StageState, argv: readonly string[]): string {
  const values = new Map<string, string>();
  for (const [name, value] of stage.buildArgs) values.set(name, stage.env.get(name) ?? value ?? "");
  const args = Array.from(values, ([name, value]) => `${name}=${value}`);
  return [...(args.length === 0 ? [] : [`|${args.length}`, ...args]), ...argv].join(" ");
}
