import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { DockerfileError, leavesOf, parseDockerfile, parseNodes } from "../../src/parser/index.ts";
import { stagesJson } from "../../src/parser/json/instruction-json.ts";
import { nodeJson } from "../../src/parser/json/node-json.ts";

const folder = fileURLToPath(new URL("../../fixtures/parser", import.meta.url));

/** Both phases in a form to read: what each line is, then what it means. */
function describeFile(content: Uint8Array): string {
  const { ast, source, instructions } = parseNodes(content);
  const leaves = Array.from(leavesOf(ast, source), ({ kind, text }) => `${kind} ${JSON.stringify(text)}`);
  return `${JSON.stringify({ leaves, nodes: instructions.map(nodeJson), typed: describeTyped(content) }, undefined, 2)}\n`;
}

function describeTyped(content: Uint8Array): unknown {
  try {
    return stagesJson(parseDockerfile(content));
  } catch (error) {
    if (error instanceof DockerfileError) return error.message;
    throw error;
  }
}

describe("Dockerfiles with their parse", () => {
  test.each(readdirSync(folder).sort())("%s", async (name) => {
    const content = readFileSync(join(folder, name, "Dockerfile"));
    await expect(describeFile(content)).toMatchFileSnapshot(join(folder, name, "ast.json"));
  });
});
