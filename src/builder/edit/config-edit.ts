import type { HistoryEntry, ImageConfig, RuntimeConfig } from "../../oci/index.ts";
import type {
  CmdInstruction,
  EntrypointInstruction,
  EnvInstruction,
  ExposeInstruction,
  HealthcheckInstruction,
  LabelInstruction,
  MaintainerInstruction,
  OnbuildInstruction,
  ShellInstruction,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from "../../parser/index.ts";
import * as apply from "../graph/dispatch-config.ts";
import { EnvList } from "../graph/env-list.ts";
import { parseExposedPort } from "../graph/exposed-ports.ts";
import { WordExpander } from "../graph/word-expander.ts";
import { isEmpty } from "./patch-config.ts";

/** An instruction that changes nothing but the config. */
export type ConfigInstruction =
  | CmdInstruction
  | EntrypointInstruction
  | EnvInstruction
  | ExposeInstruction
  | HealthcheckInstruction
  | LabelInstruction
  | MaintainerInstruction
  | OnbuildInstruction
  | ShellInstruction
  | StopsignalInstruction
  | UserInstruction
  | VolumeInstruction
  | WorkdirInstruction;

/** One change of an image's config. Values are taken as they are, but for those of an instruction, which can have variables. */
export type ConfigEdit =
  | { readonly kind: "env" | "label"; readonly name: string; readonly value: string }
  | { readonly kind: "user" | "workdir" | "port" | "volume" | "stop-signal"; readonly value: string }
  | {
      readonly kind: "remove-env" | "remove-label" | "remove-port" | "remove-volume";
      readonly name: string;
    }
  | { readonly kind: "instruction"; readonly instruction: ConfigInstruction };

/** What history entries of edits say of where they come from. */
export const HISTORY_COMMENT = "strake edit";

/**
 * A config after some changes, in their order. Instructions do what they do in a build: ENTRYPOINT takes away a CMD that was
 * not set by one of the changes before it. Each change that has an effect leaves an entry in the history, without a layer.
 * @param created of these entries; that of the entry before them when absent
 * @returns the same config when nothing had an effect
 * @throws {BuildError} DOCKERFILE_INVALID @throws {DockerfileError}
 */
export function editConfig(
  image: ImageConfig,
  edits: readonly ConfigEdit[],
  { created = lastCreated(image) }: { readonly created?: string | undefined } = {},
): ImageConfig {
  const state: ConfigState = {
    config: { ...image.config },
    author: image.author,
    env: EnvList.from(image.config?.Env ?? []),
    isCmdSet: false,
    buildArgs: [],
  };
  const history: HistoryEntry[] = [];
  let before = contentOf(state);
  for (const edit of edits) {
    const createdBy = applyEdit(state, edit);
    const after = contentOf(state);
    if (after === before) continue;
    before = after;
    history.push({
      ...(created === undefined ? {} : { created }),
      created_by: createdBy,
      comment: HISTORY_COMMENT,
      empty_layer: true,
    });
  }
  if (history.length === 0) return image;
  return {
    ...image,
    ...(state.author === undefined ? {} : { author: state.author }),
    config: state.config,
    history: [...(image.history ?? []), ...history],
  };
}

/** The time of the newest entry of the history that has one, else the image's own. */
export function lastCreated({ history = [], created }: ImageConfig): string | undefined {
  return history.findLast((entry) => entry.created !== undefined)?.created ?? created;
}

type ConfigState = apply.ConfigState & { author: string | undefined };

/** What is empty is left out of a config: to set it where nothing is has no effect. */
const contentOf = ({ config, author }: ConfigState): string => JSON.stringify([filled(config), author]);

const filled = (config: RuntimeConfig): object =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value)));

/** Words that mean what they are: a value of a flag has been through a shell already. */
const AS_THEY_ARE: apply.Words = { expand: (word) => word, split: (word) => [word] };

/** @returns the text of the history entry */
function applyEdit(state: ConfigState, edit: ConfigEdit): string {
  switch (edit.kind) {
    case "env":
      return apply.applyEnv(state, { pairs: [{ key: edit.name, value: edit.value }] }, AS_THEY_ARE);
    case "label":
      return apply.applyLabel(state, { pairs: [{ key: edit.name, value: edit.value }] }, AS_THEY_ARE);
    case "user":
      return apply.applyUser(state, { user: edit.value }, AS_THEY_ARE);
    case "workdir":
      return apply.applyWorkdir(state, { path: edit.value }, AS_THEY_ARE);
    case "port":
      return apply.applyExpose(state, { ports: [edit.value] }, AS_THEY_ARE);
    case "volume":
      return apply.applyVolume(state, { volumes: [edit.value] }, AS_THEY_ARE);
    case "stop-signal":
      return apply.applyStopSignal(state, { signal: edit.value }, AS_THEY_ARE);
    case "remove-env":
      setOrDelete(
        state.config,
        "Env",
        state.config.Env?.filter((entry) => entry.split("=", 1)[0] !== edit.name),
      );
      state.env = EnvList.from(state.config.Env ?? []);
      return `strake edit --env-rm ${edit.name}`;
    case "remove-label":
      setOrDelete(state.config, "Labels", without(state.config.Labels, [edit.name]));
      return `strake edit --label-rm ${edit.name}`;
    case "remove-port":
      setOrDelete(
        state.config,
        "ExposedPorts",
        without(state.config.ExposedPorts, parseExposedPort(edit.name)),
      );
      return `strake edit --expose-rm ${edit.name}`;
    case "remove-volume":
      setOrDelete(state.config, "Volumes", without(state.config.Volumes, [edit.name]));
      return `strake edit --volume-rm ${edit.name}`;
    case "instruction":
      return applyInstruction(state, edit.instruction);
    default:
      return edit satisfies never;
  }
}

function applyInstruction(state: ConfigState, instruction: ConfigInstruction): string {
  const words = new WordExpander("\\");
  switch (instruction.kind) {
    case "CMD":
      return apply.applyCmd(state, instruction);
    case "ENTRYPOINT":
      return apply.applyEntrypoint(state, instruction);
    case "ENV":
      return apply.applyEnv(state, instruction, words);
    case "EXPOSE":
      return apply.applyExpose(state, instruction, words);
    case "HEALTHCHECK":
      return apply.applyHealthcheck(state, instruction);
    case "LABEL":
      return apply.applyLabel(state, instruction, words);
    case "MAINTAINER":
      state.author = instruction.maintainer;
      return `MAINTAINER ${instruction.maintainer}`;
    case "ONBUILD":
      return apply.applyOnbuild(state, instruction);
    case "SHELL":
      return apply.applyShell(state, instruction);
    case "STOPSIGNAL":
      return apply.applyStopSignal(state, instruction, words);
    case "USER":
      return apply.applyUser(state, instruction, words);
    case "VOLUME":
      return apply.applyVolume(state, instruction, words);
    case "WORKDIR":
      return apply.applyWorkdir(state, instruction, words);
    default:
      return instruction satisfies never;
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What is empty is left out of a config, as when it is built. */
function setOrDelete<Name extends keyof RuntimeConfig>(
  config: Mutable<RuntimeConfig>,
  name: Name,
  value: RuntimeConfig[Name],
): void {
  if (value === undefined || Object.keys(value).length === 0) delete config[name];
  else config[name] = value;
}

function without<T>(
  record: Readonly<Record<string, T>> | undefined,
  names: readonly string[],
): Readonly<Record<string, T>> | undefined {
  if (record === undefined) return undefined;
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}
