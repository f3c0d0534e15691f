import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { VERSION } from "../version.ts";
import type { CheckedFile, Finding } from "./finding.ts";
import { listRules, type Rule } from "./rules.ts";

const LEVELS = { error: "error", warning: "warning", info: "note" } as const;

/**
 * A SARIF log, as GitHub's code scanning and editors read it.
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function formatSarif(files: readonly CheckedFile[]): string {
  const rules = listRules();
  const indexes = new Map(rules.map(({ name }, index) => [name, index]));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "strake", semanticVersion: VERSION, rules: rules.map(describeRule) } },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: {
          "%SRCROOT%": { description: { text: "The folder in which strake was started" } },
        },
        results: files.flatMap(({ name, findings }) =>
          findings.map((each) => describeResult(each, name, indexes)),
        ),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function describeRule({ name, level, isDefault, description, fix, url, isBuildKits }: Rule): object {
  const help = [description, ...(fix === undefined ? [] : [fix])].map((sentence) => `${sentence}.`);
  return {
    id: name,
    name,
    shortDescription: { text: `${description}.` },
    fullDescription: { text: `${description}.` },
    help: { text: help.join(" "), markdown: `${help.join("\n\n")}\n\n[More about ${name}](${url})` },
    helpUri: url,
    defaultConfiguration: { level: LEVELS[level], enabled: isDefault },
    properties: { tags: ["dockerfile", isBuildKits ? "buildkit" : "strake"], precision: "high" },
  };
}

function describeResult(
  { rule, level, message, fix, range }: Finding,
  file: string,
  indexes: ReadonlyMap<string, number>,
): object {
  const { startLine, startColumn, endLine, endColumn } = range;
  return {
    ruleId: rule,
    ruleIndex: indexes.get(rule),
    level: LEVELS[level],
    message: { text: fix === undefined ? `${message}.` : `${message}. ${fix}.` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: locationOf(file),
          region: { startLine, startColumn, endLine, endColumn },
        },
      },
    ],
  };
}

/** Relative to where strake was started, which in a pipeline is the repository. */
function locationOf(file: string): object {
  if (isAbsolute(file)) return { uri: pathToFileURL(file).href };
  const path = file.split("/").filter((part) => part !== "" && part !== ".");
  return { uri: path.map(encodeURIComponent).join("/"), uriBaseId: "%SRCROOT%" };
}
