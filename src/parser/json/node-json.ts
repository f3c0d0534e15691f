import type { InstructionNode } from "../ast.ts";
import type { JsonObject } from "./json.ts";

/** An instruction as the first phase leaves it: its keyword, flags and words, heredocs and comments, lines from 1. */
export function nodeJson(node: InstructionNode): JsonObject {
  return {
    ...bareJson(node),
    startLine: node.startLine,
    endLine: node.endLine,
    comments: node.comments,
    heredocs: node.heredocs.map(({ name, content, expand, chomp, fd }) => ({
      name,
      content,
      expand,
      chomp,
      fd,
    })),
  };
}

function bareJson(node: InstructionNode): JsonObject {
  return {
    instruction: node.name,
    value: node.keyword,
    original: node.original,
    flags: node.flags,
    json: node.json,
    args: node.args,
    onbuild: node.trigger === undefined ? null : bareJson(node.trigger),
  };
}
