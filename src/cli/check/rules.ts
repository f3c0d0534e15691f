import { buildChecks } from "../../parser/index.ts";
import { type AdviceLevel, adviceRules } from "../../parser/lint/advice/index.ts";
import { nearest } from "../../util/nearest.ts";
import { usageError } from "../error.ts";

/** A rule as `strake check` lists it. */
export interface Rule {
  readonly name: string;
  readonly level: AdviceLevel;
  readonly isDefault: boolean;
  readonly description: string;
  readonly fix: string | undefined;
  readonly url: string;
  /** Whether Docker's builder knows it too. */
  readonly isBuildKits: boolean;
}

/** The rule of files that no build would take. */
export const BUILD_ERROR: Rule = {
  name: "BuildError",
  level: "error",
  isDefault: true,
  description: "A build of the file would fail here",
  fix: undefined,
  url: "https://unpkg.com/strake/docs/rules/build-error.md",
  isBuildKits: true,
};

/** Every rule there is, by name. */
export function listRules(): readonly Rule[] {
  const builders = Object.values(buildChecks).map(
    ({ name, description, url, isExperimental }): Rule => ({
      name,
      level: "warning",
      isDefault: !isExperimental,
      description,
      fix: undefined,
      url,
      isBuildKits: true,
    }),
  );
  const own = Object.values(adviceRules).map((rule): Rule => ({ ...rule, isBuildKits: false }));
  return [BUILD_ERROR, ...builders, ...own].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The names in `--skip A,B --skip C`.
 * @throws {CliError} USAGE for a rule that there is not
 */
export function readRuleNames(values: readonly string[], flag: string): ReadonlySet<string> {
  const names = values.flatMap((value) => value.split(",")).map((name) => name.trim());
  const known = listRules().map(({ name }) => name);
  const found = names
    .filter((name) => name !== "")
    .map((name) => {
      const rule = known.find((each) => each.toLowerCase() === name.toLowerCase());
      if (rule !== undefined) return rule;
      const suggestion = nearest(name, known);
      throw usageError(
        `Unknown rule "${name}" in ${flag}`,
        suggestion === undefined ? "strake check --list-rules lists them" : `Did you mean ${suggestion}?`,
      );
    });
  return new Set(found);
}
