import type { InstructionNode } from "../ast.ts";
import { parseHeredocWord } from "../syntax/heredoc-words.ts";
import type { Complaint } from "./complaint.ts";
import type { Reading } from "./reading.ts";

/** A file that a heredoc of COPY or ADD describes. */
export interface InlineSource {
  /** The heredoc's name, which is the file's name. */
  readonly name: string;
  /** Without the leading tabs that `<<-` takes away; variables are still in it. */
  readonly data: string;
  /** Whether variables in it are to be expanded. */
  readonly expand: boolean;
}

/** What COPY and ADD copy, as written. */
export interface CopyPaths {
  readonly sources: readonly string[];
  readonly contents: readonly InlineSource[];
  readonly destination: string;
}

/** @throws {DockerfileError} MISPLACED_HEREDOC */
export function readPaths(reading: Reading): CopyPaths {
  const { node } = reading;
  const destination = reading.text("destination");
  if (parseHeredocWord(destination) !== undefined) {
    throw reading.error({
      code: "MISPLACED_HEREDOC",
      reason: `${node.name.toUpperCase()} cannot accept a heredoc as a destination`,
      hint: "The last word is where the files go: COPY <<EOF /path/file",
      focus: reading.token("destination").range,
    });
  }
  // Of two heredocs with one name, both sources get the later body.
  const bodies = new Map(node.heredocs.map(({ name, content }) => [name, content]));
  const sources: string[] = [];
  const contents: InlineSource[] = [];
  for (const source of reading.texts("sources")) {
    const heredoc = parseHeredocWord(source);
    if (heredoc === undefined) {
      sources.push(source);
    } else {
      const { name, expand, chomp } = heredoc;
      const content = bodies.get(name) ?? "";
      contents.push({ name, expand, data: chomp ? content.replace(/^\t+/gm, "") : content });
    }
  }
  return { sources, contents, destination };
}

export function explainPaths(node: InstructionNode): Complaint {
  const name = node.tokens[0]?.type ?? "";
  return {
    reason: `${name} requires at least two arguments, but only one was provided. Destination could not be determined`,
    hint: node.args[0]?.startsWith("['")
      ? `JSON needs double quotes: ${name} ["SOURCE", "DESTINATION"]`
      : `Write ${name} SOURCE DESTINATION, for example ${name} . /app`,
  };
}
