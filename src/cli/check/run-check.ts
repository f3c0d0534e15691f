import { formatPlatform, hostPlatform, type Platform } from "../../oci/index.ts";
import type { AdviceLevel } from "../../parser/lint/advice/index.ts";
import type { CommandContext } from "../command.ts";
import { readDockerfile } from "../dockerfiles/read-dockerfile.ts";
import { usageError } from "../error.ts";
import { createPaint } from "../paint.ts";
import { formatTable } from "../tables/table.ts";
import { checkFile } from "./check-file.ts";
import { type CheckedFile, countLevels, LEVELS } from "./finding.ts";
import { listRules, readRuleNames } from "./rules.ts";

export interface CheckRequest {
  /** Files, folders and `-`; the current folder when there is none. */
  readonly operands: readonly string[];
  readonly format: string | undefined;
  readonly failOn: string | undefined;
  readonly skip: readonly string[];
  readonly enable: readonly string[];
  readonly isListing: boolean;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  readonly platform: Platform | undefined;
}

const FORMATS = ["text", "json", "sarif", "github"] as const;
type Format = (typeof FORMATS)[number];

/**
 * `strake check`.
 * @returns the exit code: 1 when something was found that is as bad as `failOn`
 * @throws {CliError} USAGE, INPUT_UNUSABLE
 */
export async function runCheck(request: CheckRequest, context: CommandContext): Promise<number> {
  const format = readChoice(request.format ?? "text", FORMATS, "--format");
  const failOn = readChoice(request.failOn ?? "warning", [...LEVELS, "never"] as const, "--fail-on");
  const skip = readRuleNames(request.skip, "--skip");
  const enable = readRuleNames(request.enable, "--enable");
  if (request.isListing) {
    context.stdout.write(ruleTable());
    return 0;
  }
  const host = formatPlatform(hostPlatform());
  const { buildArgs, target, platform } = request;
  const targetPlatform = platform === undefined ? host : formatPlatform(platform);
  const lint = { buildArgs, target, buildPlatform: host, targetPlatform };
  const files: CheckedFile[] = [];
  for (const operand of request.operands.length === 0 ? ["."] : request.operands) {
    context.signal.throwIfAborted();
    files.push(await checkFile(await readDockerfile(operand, context), { skip, enable, lint }));
  }
  await context.stdout.writeBytes(Buffer.from(await formatReport(format, files, context)));
  return fails(files, failOn) ? 1 : 0;
}

async function formatReport(
  format: Format,
  files: readonly CheckedFile[],
  { stdout, settings }: CommandContext,
): Promise<string> {
  switch (format) {
    case "json":
      return (await import("./format-json.ts")).formatJson(files);
    case "sarif":
      return (await import("./format-sarif.ts")).formatSarif(files);
    case "github":
      return (await import("./format-github.ts")).formatGithub(files);
    default:
      return (await import("./format-text.ts")).formatText(files, createPaint(stdout, settings));
  }
}

function fails(files: readonly CheckedFile[], failOn: AdviceLevel | "never"): boolean {
  if (failOn === "never") return false;
  const counts = countLevels(files);
  return LEVELS.slice(0, LEVELS.indexOf(failOn) + 1).some((level) => counts[level] > 0);
}

function ruleTable(): string {
  const rows = listRules().map(({ name, level, isDefault, description, isBuildKits }) => [
    name,
    isDefault ? level : `${level}, off`,
    isBuildKits ? "BuildKit" : "strake",
    description,
  ]);
  return formatTable(["RULE", "LEVEL", "OF", "ABOUT"], rows);
}

function readChoice<T extends string>(text: string, choices: readonly T[], flag: string): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw usageError(`Unknown value "${text}" for ${flag}`, `Known are ${choices.join(", ")}`);
}
