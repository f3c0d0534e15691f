import { defineCommand } from "../command.ts";

export const parse = defineCommand({
  operands: "FILE [FILE...]",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "Shows what a builder reads in each file: its instructions and words, stages, flags, heredocs and what they mean. " +
      "Nothing is built, and no variable is expanded. - is standard input.",
    "Leaves with 0, or with 1 when a file was refused.",
  ],
  options: {
    json: { type: "boolean", summary: "As JSON, one line for each file" },
  },
  examples: [
    { command: "strake parse Dockerfile", summary: "The stages and instructions of a file" },
    {
      command: "strake parse --json Dockerfile | jq .instructions.stages[].baseName",
      summary: "The images it is built on",
    },
  ],
  async run({ options, positionals }, context) {
    const { parseFiles } = await import("../parse/parse-files.ts");
    return parseFiles(positionals, options.json, context);
  },
});
