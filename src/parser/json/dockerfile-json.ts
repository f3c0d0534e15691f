import {
  type Dockerfile,
  DockerfileError,
  type ParsedNodes,
  type ParseOptions,
  parseNodes,
  Source,
  typeNodes,
} from "../index.ts";
import { noEmptyContinuation } from "../lint/rules/no-empty-continuation.ts";
import { detectCheck, detectSyntax, type FileDirective } from "../syntax/detect-syntax.ts";
import { failureJson } from "./failure-json.ts";
import { stagesJson } from "./instruction-json.ts";
import { isIllFormed, type JsonObject, wellFormed } from "./json.ts";
import { nodeJson } from "./node-json.ts";

/** What is known of a Dockerfile after each of the two phases; see docs/parser.md for the members. */
export interface DockerfileJson {
  /** The file's name. */
  readonly source: string;
  readonly syntax: JsonObject | null;
  readonly check: JsonObject | null;
  /** The first phase: `ok`, and then directives, warnings and nodes, or an error with its lines. */
  readonly parse: JsonObject;
  /** The second phase: `ok`, and then stages, or an error with its lines; null where the first failed. */
  readonly instructions: JsonObject | null;
  /** There are texts in it that are no UTF-8, with U+FFFD for what isn't. */
  readonly lossy?: true;
  /** The file itself isn't UTF-8. */
  readonly invalidUtf8Input?: true;
}

/** A parse for programs, with the error where there is one. */
export interface DescribedDockerfile {
  readonly json: DockerfileJson;
  /** Why the file was refused. */
  readonly error: DockerfileError | undefined;
}

/**
 * Parses a Dockerfile and describes all of it in plain JSON: which words each instruction has, and what they mean. Never
 * throws for what is in the file. An error's lines are those that BuildKit names, also
 * where ours are others.
 *
 * @example describeDockerfile("FROM alpine\n").json.parse["ok"] // true
 */
export function describeDockerfile(
  content: string | Uint8Array,
  options: ParseOptions = {},
): DescribedDockerfile {
  const source = new Source(content, options.filename);
  const nodes = attempt(() => parseNodes(content, options));
  const isBroken = nodes instanceof DockerfileError;
  const dockerfile = isBroken ? nodes : attempt(() => typeNodes(nodes));
  const isRefused = dockerfile instanceof DockerfileError;
  const instructions = isRefused
    ? failureJson(dockerfile, source, isBroken ? [] : nodes.instructions)
    : stagesJson(dockerfile);
  return {
    json: finish(source, {
      source: source.filename,
      ...directivesJson(source),
      parse: isBroken ? failureJson(nodes, source) : nodesJson(nodes),
      instructions: isBroken ? null : instructions,
    }),
    error: isRefused ? dockerfile : undefined,
  };
}

function attempt<T extends ParsedNodes | Dockerfile>(work: () => T): T | DockerfileError {
  try {
    return work();
  } catch (error) {
    if (error instanceof DockerfileError) return error;
    throw error;
  }
}

function directivesJson(source: Source): Pick<DockerfileJson, "syntax" | "check"> {
  const syntax = detectSyntax(source);
  const check = detectCheck(source);
  return {
    syntax:
      syntax === undefined ? null : { line: lineOf(syntax, source), ref: syntax.value, value: syntax.raw },
    check: check === undefined ? null : { line: check.line, option: check.value, value: check.raw },
  };
}

/** Of the member of a JSON document no line is known. */
function lineOf({ line }: FileDirective, source: Source): number {
  return /^\ufeff?\s*(?:#|\/\/)/.test(source.line(line)) ? line : 0;
}

function nodesJson({ ast, warnings, instructions }: ParsedNodes): JsonObject {
  return {
    ok: true,
    escape: ast.escape,
    directives: ast.items.flatMap((item) =>
      item.kind === "directive" ? [{ name: item.name, value: item.value, line: item.line }] : [],
    ),
    warnings: warnings.map(({ line, message }) => ({
      line,
      short: message,
      detail: [noEmptyContinuation.description],
      url: noEmptyContinuation.url,
    })),
    nodes: instructions.map(nodeJson),
  };
}

/** Texts become ones that every JSON reader takes, and it is said where that lost something. */
function finish(source: Source, json: DockerfileJson): DockerfileJson {
  if (!isIllFormed(json)) return json;
  return {
    ...(wellFormed({ ...json }) as unknown as DockerfileJson),
    lossy: true,
    ...(isIllFormed(source.text) ? { invalidUtf8Input: true } : {}),
  };
}
