import { parsePlatform } from "../../oci/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { splitPair } from "../args/values.ts";
import { defineCommand } from "../command.ts";

export const check = defineCommand({
  operands: "[FILE | FOLDER | -]...",
  count: { min: 0, max: Number.POSITIVE_INFINITY },
  details: [
    "Asks all of BuildKit's build checks and rules of strake's own about Dockerfiles; without an operand about the one in the " +
      "current folder. Nothing is built or fetched.",
    "# check=skip=RULE,RULE in a file leaves rules out, above an instruction for that one.",
    "Leaves with 0, with 1 when something was found (see --fail-on), with 2 when the command line is wrong.",
  ],
  options: {
    format: { type: "string", value: "FORMAT", default: "text", summary: "text, json, sarif or github" },
    skip: { type: "list", value: "RULE[,RULE]", summary: "Leave rules out" },
    enable: { type: "list", value: "RULE[,RULE]", summary: "Also ask rules that are off by default" },
    "fail-on": {
      type: "string",
      value: "LEVEL",
      default: "warning",
      summary: "Leave with 1 from this level on: error, warning, info or never",
    },
    "list-rules": { type: "boolean", summary: "List all rules and leave" },
    "build-arg": { type: "list", value: "NAME[=VALUE]", summary: "A build argument, as for build" },
    target: {
      type: "string",
      value: "STAGE",
      summary: "Ask the build checks only about what this stage needs",
    },
    platform: { type: "string", value: "OS/ARCH", summary: "The platform that is built for" },
  },
  examples: [
    { command: "strake check", summary: "Check the Dockerfile of the current folder" },
    { command: "strake check --format github **/Dockerfile", summary: "Annotate a change in GitHub Actions" },
    { command: "strake check --format sarif . > check.sarif", summary: "For code scanning" },
    { command: "strake check --skip RunsAsRoot --fail-on info .", summary: "Be strict, but for one rule" },
  ],
  async run({ options, positionals }, context) {
    const { runCheck } = await import("../check/run-check.ts");
    const { variables } = context.settings;
    const buildArgs = options["build-arg"].flatMap((text) => {
      const { key, value = variables[key] } = splitPair(text);
      return value === undefined ? [] : [[key, value] as const];
    });
    const { platform } = options;
    return runCheck(
      {
        operands: positionals,
        format: options.format,
        failOn: options["fail-on"],
        skip: options.skip,
        enable: options.enable,
        isListing: options["list-rules"],
        buildArgs: Object.fromEntries(buildArgs),
        target: options.target,
        platform: platform === undefined ? undefined : asUsage(() => parsePlatform(platform)),
      },
      context,
    );
  },
});
