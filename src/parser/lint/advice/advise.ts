import { type Dockerfile, DockerfileError, type ParseOptions, parseDockerfile } from "../../index.ts";
import {
  type CheckOptions,
  DEFAULT_CHECK_OPTIONS,
  parseCheckOptions,
  withComments,
} from "../check-options.ts";
import type { Advice, AdviceRule } from "./advice.ts";
import { adviceRules } from "./advice-rules.ts";
import { viewFile } from "./file-view.ts";

export interface AdviceOptions extends ParseOptions {
  /** Names of rules not to ask. */
  readonly skip?: ReadonlySet<string> | undefined;
  /** Names of rules to ask although they are off by default. */
  readonly enable?: ReadonlySet<string> | undefined;
}

/**
 * Asks our own rules about a Dockerfile, in the order of its lines. They are advice, not what a builder says: a build never
 * asks them. `# check=skip=RULE` in the file and above an instruction counts for them too.
 *
 * @returns nothing for a file that can't be parsed, which is for {@link checkDockerfile} to tell
 */
export function adviseDockerfile(
  content: string | Uint8Array,
  options: AdviceOptions = {},
): readonly Advice[] {
  let dockerfile: Dockerfile;
  try {
    dockerfile = parseDockerfile(content, options);
  } catch (error) {
    if (error instanceof DockerfileError) return [];
    throw error;
  }
  return advise(dockerfile, options);
}

/** The same for a file at hand. */
function advise(dockerfile: Dockerfile, { skip, enable }: AdviceOptions = {}): readonly Advice[] {
  const options = readOptions(dockerfile);
  const wanted = Object.values(adviceRules).filter(
    ({ name, isDefault }) => skip?.has(name) !== true && (isDefault || enable?.has(name) === true),
  );
  const view = viewFile(dockerfile);
  const found = wanted.flatMap((rule) => ask(rule, view, options));
  return found.sort(
    (a, b) =>
      a.range.startLine - b.range.startLine ||
      a.range.startColumn - b.range.startColumn ||
      compare(a.rule, b.rule),
  );
}

function ask(rule: AdviceRule, view: ReturnType<typeof viewFile>, options: CheckOptions): Advice[] {
  const { name, level, description, fix, url } = rule;
  const { source } = view.dockerfile;
  return Array.from(rule.check(view)).flatMap(({ message, range, comments, isSecret = false }) => {
    const { skip, skipAll } = withComments(options, comments);
    if (skipAll || skip.has(name)) return [];
    return { rule: name, level, message, description, fix, url, range: source.span(range), isSecret };
  });
}

/** A malformed directive is an error of the build, and told as that. */
function readOptions({ check }: Dockerfile): CheckOptions {
  if (check === undefined) return DEFAULT_CHECK_OPTIONS;
  try {
    return parseCheckOptions(check.value);
  } catch (error) {
    if (error instanceof DockerfileError) return DEFAULT_CHECK_OPTIONS;
    throw error;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
