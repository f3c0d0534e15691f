import type { AdviceLevel } from "../../parser/lint/advice/index.ts";
import type { SourceSpan } from "../../util/span.ts";

/** What `strake check` tells: a build check's warning, one of our own rules', or that a build would fail. */
export interface Finding {
  readonly rule: string;
  readonly level: AdviceLevel;
  readonly message: string;
  /** What the rule is about. */
  readonly why: string;
  /** What to do; undefined where the message says it. */
  readonly fix: string | undefined;
  readonly url: string;
  readonly range: SourceSpan;
}

export interface CheckedFile {
  /** As named on the command line. */
  readonly name: string;
  /** Its text, with secrets masked. */
  readonly shownText: string;
  /** In the order of lines. */
  readonly findings: readonly Finding[];
}

export const LEVELS: readonly AdviceLevel[] = ["error", "warning", "info"];

/** How many there are of each level. */
export function countLevels(files: readonly CheckedFile[]): Readonly<Record<AdviceLevel, number>> {
  const findings = files.flatMap((file) => file.findings);
  const count = (level: AdviceLevel): number => findings.filter((each) => each.level === level).length;
  return { error: count("error"), warning: count("warning"), info: count("info") };
}
