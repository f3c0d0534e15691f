import type { SourceSpan } from "../util/span.ts";
import type { DockerfileError } from "./error.ts";
import type { ArgInstruction } from "./instructions/arg.ts";
import { instructionError } from "./instructions/complaint.ts";
import type { FromInstruction } from "./instructions/from.ts";
import type { Instruction } from "./instructions/index.ts";
import type { Source } from "./source.ts";

/** A build stage: a FROM and what follows it. */
export interface Stage {
  /** Lower case; undefined for a stage without a name. */
  readonly name: string | undefined;
  /** What it is built on, as written. */
  readonly baseName: string;
  /** `--platform`, as written. */
  readonly platform: string | undefined;
  /** What the comment above says about the stage. */
  readonly docComment: string;
  /** Of the FROM. */
  readonly at: SourceSpan;
  readonly from: FromInstruction;
  readonly commands: readonly Instruction[];
}

type OpenStage = Stage & { readonly commands: Instruction[] };

/** Sorts instructions into stages, as they come. */
export class StageAssembler {
  /** The ARGs before the first FROM. */
  readonly metaArgs: ArgInstruction[] = [];
  readonly stages: OpenStage[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** @throws {DockerfileError} NO_STAGE for anything but an ARG before the first FROM */
  add(instruction: Instruction | FromInstruction): void {
    const stage = this.stages.at(-1);
    if (instruction.kind === "FROM") this.stages.push(openStage(instruction));
    else if (stage !== undefined) stage.commands.push(instruction);
    else if (instruction.kind === "ARG") this.metaArgs.push(instruction);
    else throw noStage(instruction, this.#source);
  }
}

function openStage(from: FromInstruction): OpenStage {
  const { name, baseName, platform, docComment, at } = from;
  return { name, baseName, platform, docComment, at, from, commands: [] };
}

function noStage({ node }: Instruction, source: Source): DockerfileError {
  return instructionError(node, source, {
    code: "NO_STAGE",
    reason: "no build stage in current context",
    hint: "A Dockerfile begins with FROM; only ARG may stand before it",
    focus: node.tokens[0]?.range,
  });
}
