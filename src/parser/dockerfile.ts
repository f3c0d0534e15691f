import type { DockerfileAst, EscapeCharacter, InstructionNode } from "./ast.ts";
import { DockerfileError } from "./error.ts";
import type { ArgInstruction } from "./instructions/arg.ts";
import { instructionError } from "./instructions/complaint.ts";
import { type Instruction, typeInstruction } from "./instructions/index.ts";
import { Source } from "./source.ts";
import { type Stage, StageAssembler } from "./stage.ts";
import { detectCheck, detectSyntax, type FileDirective } from "./syntax/detect-syntax.ts";
import { GrammarMatcher } from "./syntax/match-grammar.ts";
import { type ParseWarning, readFile } from "./syntax/read-file.ts";

export interface Dockerfile {
  readonly source: Source;
  readonly escape: EscapeCharacter;
  /** `# syntax=`, wherever a builder would find it. */
  readonly syntax: FileDirective | undefined;
  /** `# check=`. */
  readonly check: FileDirective | undefined;
  /** The ARGs before the first FROM. */
  readonly metaArgs: readonly ArgInstruction[];
  /** None if the file has no FROM. */
  readonly stages: readonly Stage[];
  readonly warnings: readonly ParseWarning[];
  readonly ast: DockerfileAst;
}

export interface ParseOptions {
  /** The name shown in messages; `Dockerfile` by default. */
  readonly filename?: string;
}

/** A file after the first phase: its lines understood, its instructions not. */
export interface ParsedNodes {
  readonly source: Source;
  readonly ast: DockerfileAst;
  readonly instructions: readonly InstructionNode[];
  readonly warnings: readonly ParseWarning[];
}

/**
 * The first phase alone: comments, directives and instructions with their words.
 * @throws {DockerfileError}
 */
export function parseNodes(content: string | Uint8Array, options: ParseOptions = {}): ParsedNodes {
  return parseSource(new Source(content, options.filename));
}

/** The same for a source at hand. @throws {DockerfileError} */
export function parseSource(source: Source): ParsedNodes {
  const { items, warnings, ...contents } = readFile(source);
  const instructions = items.filter((item): item is InstructionNode => item.kind === "instruction");
  return { source, ast: { kind: "file", escape: contents.escape, items }, instructions, warnings };
}

/**
 * Parses a Dockerfile as BuildKit does. Pure: reads no file and expands no variable.
 *
 * @param content text, or bytes (UTF-8; bytes that are not are kept, see text/utf8.ts)
 * @throws {DockerfileError} for the first thing that is wrong
 * @example parseDockerfile("FROM alpine\nRUN true\n").stages[0]?.commands.length // 1
 */
export function parseDockerfile(content: string | Uint8Array, options: ParseOptions = {}): Dockerfile {
  return typeNodes(parseNodes(content, options));
}

/** The second phase: what the first one found, as typed instructions in stages. @throws {DockerfileError} */
export function typeNodes({ source, ast, instructions, warnings }: ParsedNodes): Dockerfile {
  const grammar = new GrammarMatcher();
  const stages = new StageAssembler(source);
  for (const node of instructions) stages.add(typeInstruction(node, source, grammar));
  return {
    source,
    escape: ast.escape,
    syntax: detectSyntax(source),
    check: detectCheck(source),
    metaArgs: stages.metaArgs,
    stages: stages.stages,
    warnings,
    ast,
  };
}

/**
 * Parses the text of a trigger, as ONBUILD stored it in an image's config. The escape character is a backslash.
 * @throws {DockerfileError} also for a text that is not exactly one instruction
 */
export function parseOnbuildTrigger(text: string): Instruction {
  const { source, instructions } = parseNodes(text, { filename: "ONBUILD" });
  const [node] = instructions;
  if (node === undefined || instructions.length > 1) {
    throw new DockerfileError("BAD_ONBUILD", "onbuild trigger should be a single expression", {
      hint: `The base image's trigger is ${JSON.stringify(text.slice(0, 120))}`,
    });
  }
  const typed = typeInstruction(node, source, new GrammarMatcher());
  if (typed.kind !== "FROM") return typed;
  throw instructionError(node, source, {
    code: "BAD_ONBUILD",
    reason: "FROM isn't allowed as an ONBUILD trigger",
  });
}
