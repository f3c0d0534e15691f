import { DockerfileError } from "../error.ts";
import type { InstructionBase } from "./base.ts";
import { type CommandForm, type InlineFile, inlineFiles, readCommand } from "./command.ts";
import type { Reading } from "./reading.ts";
import { parseRunDevice, type RunDevice } from "./run-device.ts";
import { mountSources } from "./run-mount.ts";

export type RunNetwork = "default" | "none" | "host";
export type RunSecurity = "sandbox" | "insecure";

export interface RunInstruction extends InstructionBase, CommandForm {
  readonly kind: "RUN";
  readonly files: readonly InlineFile[];
  /** The values of --mount as written, for parseRunMounts. */
  readonly mounts: readonly string[];
  readonly network: RunNetwork;
  readonly security: RunSecurity;
  readonly devices: readonly RunDevice[];
  /** Names of the flags that are there, each once. */
  readonly flagsUsed: readonly string[];
}

const FLAGS = { mount: "strings", network: "string", security: "string", device: "strings" } as const;

export function readRun(reading: Reading): RunInstruction {
  const flags = reading.flags(FLAGS);
  checkMounts(reading, flags.mount);
  return {
    kind: "RUN",
    ...reading.base(),
    ...readCommand(reading),
    files: inlineFiles(reading.node.heredocs),
    mounts: flags.mount,
    network: readNetwork(reading, flags.network ?? "default"),
    security: readSecurity(reading, flags.security ?? "sandbox"),
    devices: flags.device.map((value) => readDevice(reading, value)),
    flagsUsed: usedFlags(reading),
  };
}

/** Each once, in the order in which they are listed above. */
function usedFlags(reading: Reading): readonly string[] {
  const tokens = reading.tokens("flags");
  if (tokens.length === 0) return [];
  const isUsed = (name: string): boolean => tokens.some(({ value }) => value.startsWith(`--${name}=`));
  return Object.keys(FLAGS).filter(isUsed);
}

/**
 * What each mount of the RUN takes its files from (a stage's or an image's name), in order; undefined for those that say
 * nothing.
 */
export function runMountSources(instruction: RunInstruction): readonly (string | undefined)[] {
  return mountSources(instruction.mounts);
}

/** Of a mount only its form and its `from` can be judged before variables are known. */
function checkMounts(reading: Reading, mounts: readonly string[]): void {
  for (const mount of mounts) {
    try {
      mountSources([mount]);
    } catch (error) {
      if (!(error instanceof DockerfileError)) throw error;
      const { code, reason, hint } = error;
      throw reading.error({ code, reason, hint, focus: flagRange(reading, `--mount=${mount}`) });
    }
  }
}

function readNetwork(reading: Reading, value: string): RunNetwork {
  if (value === "default" || value === "none" || value === "host") return value;
  throw reading.error({
    code: "BAD_FLAG_VALUE",
    reason: `invalid network mode ${JSON.stringify(value)}`,
    hint: "Known are default, none and host",
    focus: flagRange(reading, `--network=${value}`),
  });
}

function readSecurity(reading: Reading, value: string): RunSecurity {
  if (value === "sandbox" || value === "insecure") return value;
  throw reading.error({
    code: "BAD_FLAG_VALUE",
    reason: `security ${JSON.stringify(value)} is not valid`,
    hint: "Known are sandbox and insecure",
    focus: flagRange(reading, `--security=${value}`),
  });
}

function readDevice(reading: Reading, value: string): RunDevice {
  const device = parseRunDevice(value);
  if (typeof device !== "string") return device;
  throw reading.error({
    code: "BAD_FLAG_VALUE",
    reason: device,
    hint: "Write --device=vendor.com/class=name",
    focus: flagRange(reading, `--device=${value}`),
  });
}

function flagRange(
  reading: Reading,
  flag: string,
): { readonly start: number; readonly end: number } | undefined {
  return reading.tokens("flags").find(({ value }) => value === flag)?.range;
}
