import type { SourceSpan } from "../../../util/span.ts";
import type { FromInstruction } from "../../instructions/from.ts";
import type { Instruction } from "../../instructions/index.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const invalidDefinitionDescription = buildCheck(
  "InvalidDefinitionDescription",
  "The comment above a named stage or an argument says what it is for, beginning with its name",
  { page: "invalid-definition-description", isExperimental: true },
);

export function checkDescription(
  instruction: Instruction | FromInstruction,
  range: SourceSpan,
  reporter: Reporter,
): void {
  const names = definedNames(instruction);
  const comment = instruction.comments.at(-1);
  const [first] = names;
  if (comment === undefined || first === undefined || names.includes(comment.split(" ", 1)[0] as string))
    return;
  const shown = names.length > 1 ? "<arg_key>" : first;
  reporter.report(
    invalidDefinitionDescription,
    range,
    `Comment for ${instruction.kind} should be like \`# ${shown} <description>\``,
  );
}

function definedNames(instruction: Instruction | FromInstruction): readonly string[] {
  if (instruction.kind === "ARG") return instruction.args.map(({ key }) => key);
  return instruction.kind === "FROM" && instruction.name !== undefined ? [instruction.name] : [];
}
