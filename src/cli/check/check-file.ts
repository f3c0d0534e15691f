import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type CheckResult,
  checkDockerfile,
  type DockerfileError,
  type LintOptions,
  Source,
} from "../../parser/index.ts";
import { type Advice, adviseDockerfile } from "../../parser/lint/advice/index.ts";
import type { NamedDockerfile } from "../dockerfiles/read-dockerfile.ts";
import type { CheckedFile, Finding } from "./finding.ts";
import { BUILD_ERROR } from "./rules.ts";

export interface CheckFileOptions {
  readonly skip: ReadonlySet<string>;
  readonly enable: ReadonlySet<string>;
  readonly lint: LintOptions;
}

/** Asks all rules about a file: the build checks, and our own. */
export async function checkFile(
  file: NamedDockerfile,
  { skip, enable, lint }: CheckFileOptions,
): Promise<CheckedFile> {
  const { name, bytes } = file;
  const dockerignore = (await readIgnoreFile(file)) ?? lint.dockerignore;
  const checked = checkDockerfile(bytes, { ...lint, dockerignore, filename: name });
  const advice = adviseDockerfile(bytes, { filename: name, skip, enable });
  const findings = [...buildFindings(checked, name), ...advice.map(adviceFinding)]
    .filter(({ rule }) => !skip.has(rule))
    .sort((a, b) => a.range.startLine - b.range.startLine || a.range.startColumn - b.range.startColumn);
  return { name, shownText: maskSecrets(new Source(bytes, name), advice), findings };
}

function buildFindings({ diagnostics, error }: CheckResult, file: string): Finding[] {
  // `# check=error=true`: the error says no more than that there are warnings.
  const isStrict = error?.code === "CHECK_VIOLATION";
  const found = diagnostics.map(
    ({ rule, message, description, url, range }): Finding => ({
      rule,
      level: isStrict ? "error" : "warning",
      message,
      why: description,
      fix: undefined,
      url,
      range,
    }),
  );
  return error === undefined || isStrict ? found : [...found, errorFinding(error, file)];
}

function errorFinding({ reason, hint, focus }: DockerfileError, file: string): Finding {
  const { name, level, description, url } = BUILD_ERROR;
  const top = { file, startLine: 1, startColumn: 1, endLine: 1, endColumn: 1 };
  return { rule: name, level, message: reason, why: description, fix: hint, url, range: focus ?? top };
}

function adviceFinding({ rule, level, message, description, fix, url, range }: Advice): Finding {
  return { rule, level, message, why: description, fix, url, range };
}

/** The text with stars for what must not be shown, character by character, so that places stay. */
function maskSecrets(source: Source, advice: readonly Advice[]): string {
  let { text } = source;
  for (const { range, isSecret } of advice) {
    if (!isSecret) continue;
    const start = (source.lineStarts[range.startLine - 1] ?? 0) + range.startColumn - 1;
    const end = (source.lineStarts[range.endLine - 1] ?? 0) + range.endColumn - 1;
    text = text.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, "*") + text.slice(end);
  }
  return text;
}

/** What a build of the file would read: `NAME.dockerignore`, else the one in the folder that is the context, most likely. */
async function readIgnoreFile({ path, folder }: NamedDockerfile): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined;
  for (const candidate of [`${path}.dockerignore`, join(folder ?? dirname(path), ".dockerignore")]) {
    try {
      return await readFile(candidate);
    } catch (error) {
      if (!["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  return undefined;
}
