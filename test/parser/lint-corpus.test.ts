import { describe, expect, test } from "vitest";
import {
  type CheckResult,
  checkDockerfile,
  DockerfileError,
  lint,
  parseDockerfile,
} from "../../src/parser/index.ts";
import { corpusFolder, dockerfilesOf, readJson } from "./shared-corpus.ts";

interface Warning {
  readonly ruleName: string;
  readonly detail: string;
  readonly startLine: number;
  readonly endLine: number;
}
interface CheckAnswer {
  readonly warnings: readonly Warning[];
  readonly buildError: { readonly message: string; readonly startLine: number | null } | null;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly dockerignore?: string | null;
}

/** As the answers were recorded: every base image is one for linux/amd64 with no variable but PATH. */
const BASES = { baseImage: () => ({ platform: "linux/amd64" }) } as const;

function check(bytes: Uint8Array, { buildArgs = {}, dockerignore }: CheckAnswer): CheckResult {
  return checkDockerfile(bytes, { ...BASES, buildArgs, dockerignore: dockerignore ?? undefined });
}

function recordedForm({ diagnostics }: Pick<CheckResult, "diagnostics">): readonly string[] {
  return diagnostics
    .map(({ rule, range, message }) => `${rule} ${range.startLine}-${range.endLine}${suggestion(message)}`)
    .sort();
}

function answerForm({ warnings }: CheckAnswer): readonly string[] {
  return warnings
    .map(
      ({ ruleName, startLine, endLine, detail }) =>
        `${ruleName} ${startLine}-${endLine}${suggestion(detail)}`,
    )
    .sort();
}

/** Of the wording only the names that are suggested are BuildKit's too. */
function suggestion(message: string): string {
  return / \(did you mean .*\?\)/.exec(message)?.[0] ?? "";
}

function compareAll(cases: Iterable<{ name: string; bytes: Uint8Array; answer: CheckAnswer }>): void {
  const differing: string[] = [];
  let count = 0;
  let warnings = 0;
  for (const { name, bytes, answer } of cases) {
    count++;
    warnings += answer.warnings.length;
    const result = check(bytes, answer);
    const ours = JSON.stringify(recordedForm(result));
    const wanted = JSON.stringify(answerForm(answer));
    if (ours !== wanted)
      differing.push(`${name}: is ${ours}, wanted ${wanted}, ${answer.buildError?.message}`);
    if ((result.error === undefined) !== (answer.buildError === null)) {
      differing.push(`${name}: fails with ${result.error?.reason}, wanted ${answer.buildError?.message}`);
    }
    const line = answer.buildError?.startLine ?? undefined;
    if (result.error !== undefined && line !== undefined && line > 0 && !isLine(result.error, line)) {
      differing.push(
        `${name}: fails in line ${result.error.at?.startLine}, wanted ${line}: ${result.error.reason}`,
      );
    }
  }
  console.log(
    `corpus, build checks: ${count} files with ${warnings} warnings, ${differing.length} differences`,
  );
  expect(differing.slice(0, 20)).toEqual([]);
  expect(count).toBeGreaterThan(0);
}

/** BuildKit counts a line less for bad directives and lines that are too long. */
function isLine(error: DockerfileError, line: number): boolean {
  const ours = error.at?.startLine;
  const isOffByOne = error.code === "BAD_DIRECTIVE" || error.code === "LINE_TOO_LONG";
  return ours === line || (isOffByOne && ours === line + 1) || error.code === "NO_INSTRUCTIONS";
}

describe.skipIf(corpusFolder === undefined)("the recorded build checks of BuildKit", () => {
  test("files written for the rules", () => {
    compareAll(dockerfilesOf("lint") as Iterable<{ name: string; bytes: Uint8Array; answer: CheckAnswer }>);
  });

  test("all other Dockerfiles", () => {
    const answers = readJson("lint-dockerfiles.json") as Readonly<Record<string, CheckAnswer>>;
    compareAll(
      Array.from(dockerfilesOf("dockerfiles"), ({ name, bytes }) => ({
        name,
        bytes,
        answer: answers[name],
      })).filter(
        (item): item is { name: string; bytes: Uint8Array; answer: CheckAnswer } => item.answer !== undefined,
      ),
    );
  });

  test("lint() of a parsed file says the same as a check of its text", () => {
    for (const { bytes } of dockerfilesOf("lint")) {
      let dockerfile: ReturnType<typeof parseDockerfile>;
      try {
        dockerfile = parseDockerfile(bytes);
      } catch (error) {
        if (error instanceof DockerfileError) continue;
        throw error;
      }
      expect(lint(dockerfile, BASES)).toEqual(checkDockerfile(bytes, BASES).diagnostics);
    }
  });
});
