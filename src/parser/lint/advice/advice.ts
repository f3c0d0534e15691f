import type { SourceSpan } from "../../../util/span.ts";
import type { Range } from "../../source.ts";
import type { FileView } from "./file-view.ts";

/** How bad a finding is: an error is wrong whatever was meant, a warning is most likely a mistake, an info could be better. */
export type AdviceLevel = "error" | "warning" | "info";

/** A rule of our own, beside BuildKit's build checks. */
export interface AdviceRule {
  readonly name: string;
  readonly level: AdviceLevel;
  /** Whether it is asked without being named. */
  readonly isDefault: boolean;
  /** What it is about and why, in a sentence. */
  readonly description: string;
  /** What to do, in a sentence. */
  readonly fix: string;
  /** The page in docs/rules that explains it. */
  readonly url: string;
  readonly check: (file: FileView) => Iterable<AdviceFinding>;
}

/** What a rule found, before it is known whether anybody wants to hear it. */
export interface AdviceFinding {
  readonly message: string;
  /** The exact part that is meant. */
  readonly range: Range;
  /** The comments above the instruction, which may ask to leave the rule out. */
  readonly comments: readonly string[];
  /** The range is something that must not be shown. */
  readonly isSecret?: boolean;
}

/** A finding for people. */
export interface Advice {
  readonly rule: string;
  readonly level: AdviceLevel;
  readonly message: string;
  readonly description: string;
  readonly fix: string;
  readonly url: string;
  readonly range: SourceSpan;
  readonly isSecret: boolean;
}

export type AdviceRuleOptions = Pick<AdviceRule, "level" | "description" | "fix" | "check"> & {
  readonly isDefault?: boolean;
};

export function adviceRule(name: string, options: AdviceRuleOptions): AdviceRule {
  return { name, isDefault: true, url: rulePage(name), ...options };
}

/** The address of a rule's page, in the package as npm's mirror shows it. */
function rulePage(name: string): string {
  return `https://unpkg.com/strake/docs/rules/${pageName(name)}.md`;
}

/** `AptListsLeft` → `apt-lists-left`, `JSONArgsRecommended` → `json-args-recommended`. */
export function pageName(rule: string): string {
  return rule
    .replace(/([a-z])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .toLowerCase();
}
