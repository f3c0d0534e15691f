import { DockerfileError } from "../error.ts";
import { parseGoBoolean } from "../instructions/go-values.ts";
import { matchDirective } from "../syntax/directive.ts";
import { trimSpace } from "../text/space.ts";

/** What `# check=` says: which rules to leave out, which experimental ones to add. */
export interface CheckOptions {
  readonly skipAll: boolean;
  readonly skip: ReadonlySet<string>;
  readonly experimentalAll: boolean;
  readonly experimental: ReadonlySet<string>;
  /** Warnings make the build fail. */
  readonly isError: boolean;
}

export const DEFAULT_CHECK_OPTIONS: CheckOptions = {
  skipAll: false,
  skip: new Set(),
  experimentalAll: false,
  experimental: new Set(),
  isError: false,
};

/**
 * Reads `skip=RULE,RULE;experimental=RULE;error=true`; `all` stands for all rules.
 * @throws {DockerfileError} BAD_CHECK_OPTION, without a place
 */
export function parseCheckOptions(text: string): CheckOptions {
  const options = { ...DEFAULT_CHECK_OPTIONS };
  const trimmed = trimSpace(text);
  if (trimmed === "") return options;
  for (const part of splitAtMost(trimmed, 3)) {
    const equals = part.indexOf("=");
    const key = trimSpace(equals === -1 ? part : part.slice(0, equals));
    const value = trimSpace(part.slice(equals + 1));
    if (equals === -1) throw badOption(part);
    if (key === "skip") {
      options.skipAll ||= value === "all";
      if (value !== "all") options.skip = new Set(value.split(",").map(trimSpace));
    } else if (key === "experimental") {
      options.experimentalAll ||= value === "all";
      if (value !== "all") options.experimental = new Set(value.split(",").map(trimSpace));
    } else if (key === "error") {
      const isError = parseGoBoolean(value);
      if (isError === undefined) throw badOption(part);
      options.isError = isError;
    } else {
      throw badOption(key);
    }
  }
  return options;
}

/** There are three options, so what follows the third `;` belongs to the third. */
function splitAtMost(text: string, count: number): readonly string[] {
  const parts = text.split(";");
  return parts.length <= count ? parts : [...parts.slice(0, count - 1), parts.slice(count - 1).join(";")];
}

function badOption(option: string): DockerfileError {
  return new DockerfileError(
    "BAD_CHECK_OPTION",
    `failed to parse check options: invalid check option ${JSON.stringify(option)}`,
    {
      hint: "Write # check=skip=RULE,RULE;error=true without blanks; experimental=RULE is there too",
    },
  );
}

/**
 * The options for one instruction: a `check=` comment above it adds rules to leave out and experimental ones. Only the first
 * such comment counts, and one that is malformed is ignored.
 */
export function withComments(options: CheckOptions, comments: readonly string[]): CheckOptions {
  for (const comment of comments) {
    const directive = matchDirective(comment, "");
    if (directive?.name !== "check") continue;
    let own: CheckOptions;
    try {
      own = parseCheckOptions(directive.value.split(" ", 1)[0] as string);
    } catch (error) {
      if (error instanceof DockerfileError) return options;
      throw error;
    }
    return {
      skipAll: options.skipAll || own.skipAll,
      skip: new Set([...options.skip, ...own.skip]),
      experimentalAll: options.experimentalAll || own.experimentalAll,
      experimental: new Set([...options.experimental, ...own.experimental]),
      isError: options.isError,
    };
  }
  return options;
}
