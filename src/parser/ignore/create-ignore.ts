import { DockerfileError } from "../error.ts";
import { trimSpace } from "../text/space.ts";
import { isRefused } from "./check-pattern.ts";
import { cleanPath } from "./clean-path.ts";
import type { IgnorePattern } from "./parse-ignorefile.ts";
import { compilePattern, type PathTest } from "./pattern.ts";

/** The patterns of an ignore file, ready to judge paths (relative, `/` between parts). */
export interface Ignore {
  /** Some pattern begins with `!`. */
  readonly hasExceptions: boolean;
  // Some pattern stands for everything in the root folder: `*`, `**` or `**/*`.
  readonly excludesAll: boolean;
  /**
   * Whether a path is excluded: the last pattern that matches it or a folder above it decides.
   * @throws {DockerfileError} BAD_IGNORE_PATTERN for a pattern whose fault only shows in use
   */
  readonly excludes: (path: string) => boolean;
  /** The pattern because of which the path is excluded; undefined if it is not. */
  readonly reason: (path: string) => IgnorePattern | undefined;
  /** A walk's beginning; the root folder itself is never excluded. */
  readonly walker: () => IgnoreLevel;
}

/** What a directory walk knows inside of one folder. */
export interface IgnoreLevel {
  /** Judges an entry of this folder, given by its whole path. The same answer as {@link Ignore.excludes}, for less work. */
  readonly visit: (path: string) => IgnoreVisit;
}

export interface IgnoreVisit {
  readonly excluded: boolean;
  /** If the entry is a folder: nothing in it can be included, so the walk need not enter it. */
  readonly canSkip: boolean;
  /** If the entry is a folder: the level inside. */
  readonly inside: IgnoreLevel;
}

const ALL: ReadonlySet<string> = new Set(["*", "**", "**/*"]);

interface Rule {
  readonly source: IgnorePattern;
  readonly isException: boolean;
  readonly pattern: string;
  readonly matches: PathTest;
}

/**
 * @param patterns from parseIgnorefile; from parseIgnoreLines, if it matters which line a pattern stood in
 * @throws {DockerfileError} BAD_IGNORE_PATTERN
 * @example createIgnore(["*.md", "!README.md"]).excludes("a.md") // true
 */
export function createIgnore(patterns: readonly (IgnorePattern | string)[]): Ignore {
  const rules = patterns.flatMap((pattern) =>
    createRule(typeof pattern === "string" ? { text: pattern, line: 0 } : pattern),
  );
  const decide = (path: string): Rule | undefined => decidingRule(rules, cleanPath(path));
  const canSkip = skipTest(rules);
  return {
    hasExceptions: rules.some(({ isException }) => isException),
    excludesAll: rules.some(({ isException, pattern }) => !isException && ALL.has(pattern)),
    excludes: (path) => decide(path) !== undefined,
    reason: (path) => decide(path)?.source,
    walker: () => level(rules, canSkip, undefined),
  };
}

function createRule(source: IgnorePattern): readonly Rule[] {
  const trimmed = trimSpace(source.text);
  if (trimmed === "") return [];
  const cleaned = cleanPath(trimmed);
  const isException = cleaned.startsWith("!");
  const pattern = isException ? cleaned.slice(1) : cleaned;
  if (pattern === "") {
    throw new DockerfileError("BAD_IGNORE_PATTERN", 'illegal exclusion pattern: "!"', {
      hint: `${source.line === 0 ? "It" : `Line ${source.line} of the ignore file`} has ! without a pattern`,
    });
  }
  if (isRefused(pattern)) throw badPattern(source);
  let compiled: PathTest | undefined;
  const matches: PathTest = (path) => {
    // Compiled at first use: what is wrong beyond the check above is an error only then.
    compiled ??= compilePattern(pattern);
    if (compiled === undefined) throw badPattern(source);
    return compiled(path);
  };
  return [{ source, isException, pattern, matches }];
}

function badPattern({ text, line }: IgnorePattern): DockerfileError {
  const place = line === 0 ? "" : `See line ${line} of the ignore file: `;
  return new DockerfileError(
    "BAD_IGNORE_PATTERN",
    `Cannot use ignore pattern ${JSON.stringify(text)}: syntax error in pattern`,
    {
      hint: `${place}a [ needs its ] with something between them, and a \\ needs something behind it`,
    },
  );
}

/** The rule that excludes the path, if it is excluded. */
function decidingRule(rules: readonly Rule[], path: string): Rule | undefined {
  if (path === ".") return undefined;
  let decided: Rule | undefined;
  const parents = parentsOf(path);
  for (const rule of rules) {
    // An exception matters only for what is excluded so far, any other rule only for what is not.
    if (rule.isException !== (decided !== undefined)) continue;
    if (rule.matches(path) || parents.some(rule.matches)) decided = rule.isException ? undefined : rule;
  }
  return decided;
}

/** The folders above a path; of an absolute one also "", and of one in the root folder `/`. */
function parentsOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) parents.push(path.slice(0, at));
  return parents.length === 1 && parents[0] === "" ? ["", "/"] : parents;
}

/** @param parent which rules matched the folder above or one above that; undefined at the root */
function level(
  rules: readonly Rule[],
  canSkip: (folder: string) => boolean,
  parent: readonly boolean[] | undefined,
): IgnoreLevel {
  return {
    visit(path) {
      let excluded = false;
      const matched = rules.map((rule, index) => {
        const matches = parent?.[index] === true || (rule.isException === excluded && rule.matches(path));
        if (matches) excluded = !rule.isException;
        return matches;
      });
      return {
        excluded,
        get canSkip() {
          return excluded && canSkip(path);
        },
        get inside() {
          return level(rules, canSkip, matched);
        },
      };
    },
  };
}

const PATTERN_CHARACTERS = /[*[\]?^\\]/;

/** Whether a walk can pass over an excluded folder: no exception can match anything inside. */
function skipTest(rules: readonly Rule[]): (folder: string) => boolean {
  const prefixes = rules
    .filter(({ isException }) => isException)
    .map(({ pattern }) => pattern.replace(/\/\*\*$/, "").replace(/\/\*$/, ""));
  if (prefixes.some((prefix) => PATTERN_CHARACTERS.test(prefix))) return () => false;
  return (folder) => !prefixes.some((prefix) => `${prefix}/`.startsWith(`${folder}/`));
}
