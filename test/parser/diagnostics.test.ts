import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { DockerfileError, formatDiagnostic, parseDockerfile, Source } from "../../src/parser/index.ts";

const folder = fileURLToPath(new URL("../../fixtures/diagnostics", import.meta.url));

function errorOf(content: Uint8Array): DockerfileError {
  try {
    parseDockerfile(content);
  } catch (error) {
    if (error instanceof DockerfileError) return error;
    throw error;
  }
  throw new Error("The Dockerfile was accepted");
}

describe("broken Dockerfiles are explained", () => {
  const names = readdirSync(folder).sort();

  test.each(names)("%s", async (name) => {
    const content = readFileSync(join(folder, name, "Dockerfile"));
    const error = errorOf(content);
    await expect(`${formatDiagnostic(error, content)}\n`).toMatchFileSnapshot(
      join(folder, name, "message.txt"),
    );
    expect(error.hint).toBeDefined();
  });

  test.each(names)("%s: the marked part lies within the instruction", (name) => {
    const content = readFileSync(join(folder, name, "Dockerfile"));
    const { at, focus } = errorOf(content);
    const source = new Source(content);
    const offset = (line: number, column: number): number => (source.lineStarts[line - 1] ?? 0) + column - 1;
    expect(at).toBeDefined();
    expect(focus).toBeDefined();
    if (at === undefined || focus === undefined) return;
    expect(offset(focus.startLine, focus.startColumn)).toBeGreaterThanOrEqual(
      offset(at.startLine, at.startColumn),
    );
    expect(offset(focus.endLine, focus.endColumn)).toBeLessThanOrEqual(offset(at.endLine, at.endColumn));
  });
});

describe("formatDiagnostic()", () => {
  test("prints the message alone where there is no place", () => {
    expect(formatDiagnostic({ message: "no place", hint: "do this" }, "FROM a\n")).toBe(
      "no place\nhint: do this",
    );
  });

  test("does not let control characters through", () => {
    const text = formatDiagnostic(errorOf(Buffer.from("FROM a\n\u001b[2J x\n")), "FROM a\n\u001b[2J x\n");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
  });
});
