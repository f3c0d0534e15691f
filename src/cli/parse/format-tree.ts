import type { Dockerfile, Instruction, InstructionNode, Stage } from "../../parser/index.ts";
import { sanitize } from "../text.ts";

/**
 * A Dockerfile for people: its stages, and their instructions with their lines.
 *
 *     Dockerfile: 2 stages, 5 instructions
 *     stage 0 "build" FROM golang:1.23  (line 1)
 *          2-4  RUN --mount=type=cache,target=/root/.cache go build
 *     stage 1 FROM scratch  (line 6)
 *            7  COPY --from=build /app /app
 */
export function formatTree({ source, metaArgs, stages, check, syntax }: Dockerfile): string {
  const count = metaArgs.length + stages.reduce((sum, { commands }) => sum + commands.length + 1, 0);
  const lines = [
    `${source.filename}: ${plural(stages.length, "stage")}, ${plural(count, "instruction")}`,
    ...(syntax === undefined ? [] : [`  # syntax=${syntax.raw}`]),
    ...(check === undefined ? [] : [`  # check=${check.raw}`]),
    ...metaArgs.flatMap(describe),
    ...stages.flatMap(describeStage),
  ];
  return lines.map((line) => `${sanitize(line)}\n`).join("");
}

function describeStage({ from, name, baseName, platform, commands }: Stage, index: number): string[] {
  const title = name === undefined ? `stage ${index}` : `stage ${index} "${name}"`;
  const onPlatform = platform === undefined ? "" : ` for ${platform}`;
  return [
    `${title} FROM ${baseName}${onPlatform}  (line ${from.node.startLine})`,
    ...commands.flatMap(describe),
  ];
}

function describe({ node, code }: Instruction): string[] {
  return [
    `${linesOf(node).padStart(9)}  ${code.replace(/\s+/g, " ")}`,
    ...node.heredocs.map(({ name, content, expand }) => {
      const variables = expand ? "" : ", variables stay as they are";
      const lines = content.split("\n").length - 1;
      return `${" ".repeat(11)}heredoc ${name}: ${plural(lines, "line")}${variables}`;
    }),
  ];
}

function linesOf({ startLine, endLine }: InstructionNode): string {
  return startLine === endLine ? `${startLine}` : `${startLine}-${endLine}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
