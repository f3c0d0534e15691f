import { DockerfileError } from "../../error.ts";
import type { AddInstruction } from "../../instructions/add.ts";
import type { CopyInstruction } from "../../instructions/copy.ts";
import { checkIgnoredSource } from "../rules/copy-ignored-file.ts";
import { checksumProblem, chmodProblem } from "./copy-options.ts";
import { sourceKind } from "./remote-source.ts";
import type { CommandRun } from "./stage-run.ts";

/** @throws {DockerfileError} */
export function runCopy(instruction: AddInstruction | CopyInstruction, run: CommandRun): void {
  const isAdd = instruction.kind === "ADD";
  run.expand(instruction.chown ?? "");
  const chmod = run.expand(instruction.chmod ?? "");
  const checksum = isAdd ? run.expand(instruction.checksum ?? "") : "";
  const sources = instruction.sources.map((source) => run.expand(source));
  run.expand(instruction.destination);
  for (const { data, expand } of instruction.contents) if (expand) run.expandBody(data);

  for (const source of run.sources) {
    if (source.isReady) continue;
    throw run.fail(
      "NO_STAGE",
      `cannot copy from stage "${source.shownName}", it needs to be defined before current stage "${run.stage.shownName}"`,
      "Move that stage up",
    );
  }
  const problem = chmodProblem(chmod) ?? checksumProblem(checksum, sources);
  if (problem !== undefined) throw run.fail("BAD_FLAG_VALUE", problem);
  for (const source of sources) checkSource(source, isAdd, run);
}

function checkSource(source: string, isAdd: boolean, run: CommandRun): void {
  const kind = sourceKind(source);
  if (kind !== "path") {
    if (isAdd) return;
    const what = kind === "git" ? "a git ref" : "a URL";
    throw run.fail(
      "BAD_ARGUMENTS",
      `source can't be ${what} for COPY`,
      "Use ADD for what is not in the context",
    );
  }
  if (run.sources.length > 0) return;
  const use = { keyword: isAdd ? "Add" : "Copy", ignore: run.options.ignore } as const;
  try {
    checkIgnoredSource(source, use, run.range, run.reporter);
  } catch (error) {
    // A pattern that is found malformed in use concerns the build, not this instruction.
    if (!(error instanceof DockerfileError)) throw error;
  }
}
