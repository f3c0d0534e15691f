import type { SourceSpan } from "../../../util/span.ts";
import type { DockerfileError, DockerfileErrorCode } from "../../error.ts";
import type { ExpansionAttempt } from "../../expand/expand-word.ts";
import type { Ignore } from "../../ignore/create-ignore.ts";
import type { Reporter } from "../reporter.ts";
import { checkVariables } from "../rules/undefined-var.ts";
import { planError } from "./plan-error.ts";
import type { PlannedCommand, PlannedStage, StageState } from "./stages.ts";
import type { Variables } from "./variables.ts";

/** What is the same for all stages. */
export interface StageRunOptions {
  readonly globals: Variables;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly ignore: Ignore | undefined;
  readonly reporter: Reporter;
}

/** One instruction being looked at, in the stage as it is at that point. */
export class CommandRun {
  readonly stage: PlannedStage;
  readonly state: StageState;
  readonly sources: readonly PlannedStage[];
  readonly range: SourceSpan;
  readonly options: StageRunOptions;
  /** With what the comments above the instruction say. */
  readonly reporter: Reporter;

  constructor(stage: PlannedStage, state: StageState, command: PlannedCommand, options: StageRunOptions) {
    this.stage = stage;
    this.state = state;
    this.sources = command.sources;
    this.range = command.range;
    this.options = options;
    this.reporter = options.reporter.forComments(command.instruction.comments);
  }

  /** @throws {DockerfileError} BAD_SUBSTITUTION */
  expand(word: string): string {
    return this.#checked(this.state.variables.tryExpand(word));
  }

  /** @throws {DockerfileError} BAD_SUBSTITUTION */
  expandBody(text: string): string {
    return this.#checked(this.state.variables.tryExpandBody(text));
  }

  fail(code: DockerfileErrorCode, reason: string, hint?: string): DockerfileError {
    return planError(code, reason, this.range, hint);
  }

  #checked({ word, unmatched, error }: ExpansionAttempt): string {
    const { args, variables } = this.state;
    checkVariables(unmatched, { args, variables: () => variables.names() }, this.range, this.reporter);
    if (error !== undefined) throw error.located(this.range);
    return word;
  }
}
