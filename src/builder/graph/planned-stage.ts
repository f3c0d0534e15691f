import type { HistoryEntry, ImageConfig, Platform, RuntimeConfig } from "../../oci/index.ts";
import { EnvList } from "./env-list.ts";
import { cleanPath } from "./paths.ts";
import type { PlannedHistory } from "./plan.ts";
import type { StateVertex } from "./vertex.ts";

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * A stage while its instructions are read: what the next instruction starts from. Instructions replace members;
 * they never change a value that another stage may hold.
 */
export interface StageState {
  platform: Platform;
  config: Mutable<RuntimeConfig>;
  author: string | undefined;
  vertex: StateVertex;
  /** What words expand to and RUN sees: the config's Env and the ARGs. */
  env: EnvList;
  /** ARGs declared so far, by name, for the history of RUN; undefined where one has no value. */
  buildArgs: readonly (readonly [string, string | undefined])[];
  baseHistory: readonly HistoryEntry[];
  baseLayers: number;
  history: readonly PlannedHistory[];
  /** CMD was set in this stage: a later ENTRYPOINT keeps it. */
  isCmdSet: boolean;
}

/** A stage's beginning on a base image. */
export function startOnImage(image: ImageConfig, platform: Platform, vertex: StateVertex): StageState {
  const { OnBuild: _triggers, ...config } = image.config ?? {};
  return withEnvironment({
    platform,
    config: { ...config },
    author: image.author,
    vertex,
    env: EnvList.empty,
    buildArgs: [],
    baseHistory: image.history ?? [],
    baseLayers: image.rootfs.diff_ids.length,
    history: [],
    isCmdSet: false,
  });
}

/** A stage's beginning on nothing: FROM scratch. */
export function startOnScratch(platform: Platform, vertex: StateVertex): StageState {
  return withEnvironment({
    platform,
    config: { WorkingDir: "/", Env: [DEFAULT_PATH] },
    author: undefined,
    vertex,
    env: EnvList.empty,
    buildArgs: [],
    baseHistory: [],
    baseLayers: 0,
    history: [],
    isCmdSet: false,
  });
}

/** A stage's beginning on another stage: all of its result, but none of its triggers. */
export function startOnStage(base: StageState): StageState {
  const { OnBuild: _triggers, ...config } = base.config;
  return withEnvironment({ ...base, config: { ...config }, isCmdSet: false });
}

/** What the config says counts from here on: an ENV of the base is no longer hidden by an ARG of the same name. */
function withEnvironment(state: StageState): StageState {
  const entries = state.config.Env ?? [];
  const hasPath = entries.some((entry) => entry.startsWith("PATH="));
  const Env = hasPath ? entries : [...entries, DEFAULT_PATH];
  const env = EnvList.from([...state.env.entries(), ...Env]);
  const { WorkingDir: directory = "" } = state.config;
  // BuildKit enters the base's directory from itself, which shows where that is relative.
  const WorkingDir =
    directory === "" || directory.startsWith("/")
      ? {}
      : { WorkingDir: cleanPath(directory, `/${directory}`) };
  return { ...state, config: { ...state.config, ...WorkingDir, Env }, env };
}
