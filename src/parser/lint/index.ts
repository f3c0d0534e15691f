import { type Dockerfile, type ParsedNodes, type ParseOptions, parseSource } from "../dockerfile.ts";
import { DockerfileError } from "../error.ts";
import { typeInstruction } from "../instructions/index.ts";
import { Source } from "../source.ts";
import { StageAssembler } from "../stage.ts";
import { detectCheck } from "../syntax/detect-syntax.ts";
import { GrammarMatcher } from "../syntax/match-grammar.ts";
import { DEFAULT_CHECK_OPTIONS, parseCheckOptions } from "./check-options.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { type DryRunFile, dryRun } from "./dry-run/dry-run.ts";
import { type LintOptions, resolveOptions, toMap } from "./lint-options.ts";
import { rangeOf, rangeOfNode } from "./range.ts";
import { Reporter } from "./reporter.ts";
import { checkFromAsCasing } from "./rules/from-as-casing.ts";
import { checkDescription } from "./rules/invalid-definition-description.ts";
import { checkMaintainer } from "./rules/maintainer-deprecated.ts";
import { checkEmptyContinuations } from "./rules/no-empty-continuation.ts";
import { checkStageNameCasing } from "./rules/stage-name-casing.ts";

/** What a check of a whole file finds. */
export interface CheckResult {
  /** In the order of their lines. */
  readonly diagnostics: readonly Diagnostic[];
  /**
   * Why a build of the file would fail: it can't be parsed, or planned, or `# check=error=true` makes its warnings errors.
   * Rules that would have had something to say after that were not asked.
   */
  readonly error: DockerfileError | undefined;
}

/**
 * Checks a Dockerfile's text against all build checks, as `docker build --check` does. Never throws for what is in it.
 *
 * `# check=skip=RULE;error=true` in the file is followed, and `# check=skip=RULE` above an instruction.
 */
export function checkDockerfile(
  content: string | Uint8Array,
  options: LintOptions & ParseOptions = {},
): CheckResult {
  const source = new Source(content, options.filename);
  return collect(source, options, (reporter) => {
    const parsed = parseSource(source);
    checkEmptyContinuations(parsed.warnings, source, reporter);
    const { metaArgs, stages } = typeAndCheck(parsed, reporter);
    dryRun({ escape: parsed.ast.escape, metaArgs, stages }, resolveOptions(options), reporter);
  });
}

/**
 * Checks a parsed Dockerfile against all build checks.
 *
 * @returns what the rules found, in the order of lines; where a build would fail, what they found before that (see
 *   {@link checkDockerfile} for the error itself)
 * @example lint(parseDockerfile("FROM alpine as x\n")).map(({ rule }) => rule) // ["FromAsCasing"]
 */
export function lint(dockerfile: Dockerfile, options: LintOptions = {}): readonly Diagnostic[] {
  return checkParsed(dockerfile, options).diagnostics;
}

/** The same, with why a build would fail. */
export function checkParsed(dockerfile: Dockerfile, options: LintOptions = {}): CheckResult {
  const { source, warnings, stages, metaArgs } = dockerfile;
  return collect(source, options, (reporter) => {
    checkEmptyContinuations(warnings, source, reporter);
    for (const instruction of [...metaArgs, ...stages.flatMap(({ from, commands }) => [from, ...commands])]) {
      const own = reporter.forComments(instruction.comments);
      checkBeforeTyping(instruction.node, source, own);
      checkDescription(instruction, rangeOf(instruction), own);
    }
    const file: DryRunFile = dockerfile;
    dryRun(file, resolveOptions(options), reporter);
  });
}

function collect(
  source: Source,
  { buildArgs = {} }: LintOptions,
  work: (reporter: Reporter) => void,
): CheckResult {
  const diagnostics: Diagnostic[] = [];
  let error: DockerfileError | undefined;
  try {
    const options = checkOptions(source, toMap(buildArgs).get(CHECK_ARG));
    work(new Reporter(options, diagnostics));
    if (options.isError && diagnostics.length > 0) throw violations(diagnostics);
  } catch (thrown) {
    if (!(thrown instanceof DockerfileError)) throw thrown;
    error = thrown;
  }
  return { diagnostics: diagnostics.sort(byPlace), error };
}

/** Build argument that stands in for the file's `# check=`. */
const CHECK_ARG = "BUILDKIT_DOCKERFILE_CHECK";

function checkOptions(source: Source, given: string | undefined): typeof DEFAULT_CHECK_OPTIONS {
  if (given !== undefined) return parseCheckOptions(given);
  const directive = detectCheck(source);
  if (directive === undefined) return DEFAULT_CHECK_OPTIONS;
  try {
    return parseCheckOptions(directive.value);
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    const start = source.lineStarts[directive.line - 1] ?? 0;
    throw error.located(source.span({ start, end: start + source.line(directive.line).length }));
  }
}

function violations(diagnostics: readonly Diagnostic[]): DockerfileError {
  const rules = [...new Set(diagnostics.map(({ rule }) => rule))].sort();
  return new DockerfileError("CHECK_VIOLATION", `lint violation found for rules: ${rules.join(", ")}`, {
    hint: `# check=error=true in the file, or --build-arg ${CHECK_ARG}=error=true, makes warnings errors`,
  });
}

function typeAndCheck({ instructions, source }: ParsedNodes, reporter: Reporter): StageAssembler {
  const grammar = new GrammarMatcher();
  const stages = new StageAssembler(source);
  for (const node of instructions) {
    const own = reporter.forComments(node.comments);
    checkBeforeTyping(node, source, own);
    const instruction = typeInstruction(node, source, grammar);
    checkDescription(instruction, rangeOf(instruction), own);
    stages.add(instruction);
  }
  return stages;
}

/** Rules that need no more than an instruction's words, so that they also see one with something wrong in it. */
function checkBeforeTyping(
  node: ParsedNodes["instructions"][number],
  source: Source,
  reporter: Reporter,
): void {
  if (node.name !== "from" && node.name !== "maintainer") return;
  const range = rangeOfNode(node, source);
  checkMaintainer(node, range, reporter);
  checkStageNameCasing(node, range, reporter);
  checkFromAsCasing(node, range, reporter);
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.range.startLine - b.range.startLine || compare(a.rule, b.rule) || compare(a.message, b.message);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
