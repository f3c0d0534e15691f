import type { InstructionNode } from "../ast.ts";
import type { Source } from "../source.ts";
import { type InstructionName, KEYWORDS } from "../syntax/keywords.ts";
import { type GrammarMatcher, isRejection } from "../syntax/match-grammar.ts";
import { type AddInstruction, readAdd } from "./add.ts";
import { type ArgInstruction, explainArg, readArg } from "./arg.ts";
import { type CmdInstruction, readCmd } from "./cmd.ts";
import { type Complaint, instructionError } from "./complaint.ts";
import { type CopyInstruction, readCopy } from "./copy.ts";
import { type EntrypointInstruction, readEntrypoint } from "./entrypoint.ts";
import { type EnvInstruction, explainEnv, readEnv } from "./env.ts";
import { type ExposeInstruction, explainExpose, readExpose } from "./expose.ts";
import { explainFrom, type FromInstruction, readFrom } from "./from.ts";
import { explainHealthcheck, type HealthcheckInstruction, readHealthcheck } from "./healthcheck.ts";
import { hintForUnknown } from "./hint-for-unknown.ts";
import { explainLabel, type LabelInstruction, readLabel } from "./label.ts";
import { explainMaintainer, type MaintainerInstruction, readMaintainer } from "./maintainer.ts";
import { explainOnbuild, type OnbuildInstruction, readOnbuild } from "./onbuild.ts";
import { explainPaths } from "./paths.ts";
import { Reading } from "./reading.ts";
import { type RunInstruction, readRun } from "./run.ts";
import { explainShell, readShell, type ShellInstruction } from "./shell.ts";
import { explainStopsignal, readStopsignal, type StopsignalInstruction } from "./stopsignal.ts";
import { explainUser, readUser, type UserInstruction } from "./user.ts";
import { explainVolume, readVolume, type VolumeInstruction } from "./volume.ts";
import { explainWorkdir, readWorkdir, type WorkdirInstruction } from "./workdir.ts";

/** Any instruction that can stand in a stage. */
export type Instruction =
  | AddInstruction
  | ArgInstruction
  | CmdInstruction
  | CopyInstruction
  | EntrypointInstruction
  | EnvInstruction
  | ExposeInstruction
  | HealthcheckInstruction
  | LabelInstruction
  | MaintainerInstruction
  | OnbuildInstruction
  | RunInstruction
  | ShellInstruction
  | StopsignalInstruction
  | UserInstruction
  | VolumeInstruction
  | WorkdirInstruction;

interface Reader {
  readonly read: (reading: Reading) => Instruction | FromInstruction;
  /** What to say of an instruction that the grammar refuses. */
  readonly explain: (node: InstructionNode) => Complaint;
}

const anyCommand = (node: InstructionNode): Complaint => ({ reason: `${node.keyword} can not be read` });

const READERS: Readonly<Record<InstructionName, Reader>> = {
  ADD: { read: readAdd, explain: explainPaths },
  ARG: { read: readArg, explain: explainArg },
  CMD: { read: readCmd, explain: anyCommand },
  COPY: { read: readCopy, explain: explainPaths },
  ENTRYPOINT: { read: readEntrypoint, explain: anyCommand },
  ENV: { read: readEnv, explain: explainEnv },
  EXPOSE: { read: readExpose, explain: explainExpose },
  FROM: { read: readFrom, explain: explainFrom },
  HEALTHCHECK: { read: readHealthcheck, explain: explainHealthcheck },
  LABEL: { read: readLabel, explain: explainLabel },
  MAINTAINER: { read: readMaintainer, explain: explainMaintainer },
  ONBUILD: { read: readOnbuild, explain: explainOnbuild },
  RUN: { read: readRun, explain: anyCommand },
  SHELL: { read: readShell, explain: explainShell },
  STOPSIGNAL: { read: readStopsignal, explain: explainStopsignal },
  USER: { read: readUser, explain: explainUser },
  VOLUME: { read: readVolume, explain: explainVolume },
  WORKDIR: { read: readWorkdir, explain: explainWorkdir },
};

/** The second phase for one instruction. @throws {DockerfileError} */
export function typeInstruction(
  node: InstructionNode,
  source: Source,
  grammar: GrammarMatcher,
): Instruction | FromInstruction {
  const keyword = KEYWORDS.get(node.name);
  if (keyword === undefined) throw instructionError(node, source, unknownInstruction(node, source));
  const { read, explain } = READERS[keyword.terminal];
  const match = grammar.match(node.tokens);
  if (isRejection(match)) throw instructionError(node, source, explain(node));
  return read(new Reading(node, source, match));
}

function unknownInstruction(node: InstructionNode, source: Source): Complaint {
  return {
    code: "UNKNOWN_INSTRUCTION",
    reason: `unknown instruction: ${node.keyword}`,
    hint: hintForUnknown(node, source),
    focus: node.tokens[0]?.range,
  };
}
