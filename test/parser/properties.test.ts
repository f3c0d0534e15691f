import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkDockerfile,
  createIgnore,
  DockerfileError,
  decodeUtf8,
  encodeUtf8,
  expandWord,
  formatDiagnostic,
  type InstructionNode,
  leavesOf,
  parseDockerfile,
  parseIgnorefile,
  parseNodes,
  parseOnbuildTrigger,
  printDockerfile,
  Source,
  splitWords,
} from "../../src/parser/index.ts";
import { attempt } from "./attempt.ts";
import { dockerfileText, likelyDockerfile } from "./dockerfile-text.ts";

const RUNS = { numRuns: 1500 };
const anyDockerfile = fc.oneof(dockerfileText, likelyDockerfile);

describe("for any text", () => {
  test("parsing succeeds or says where it failed", () => {
    fc.assert(
      fc.property(anyDockerfile, (text) => {
        const result = attempt(() => parseDockerfile(text));
        if (!(result instanceof DockerfileError)) return;
        const lines = new Source(text).lineStarts.length;
        expect(result.at?.startLine).toBeGreaterThanOrEqual(1);
        expect(result.at?.endLine).toBeLessThanOrEqual(lines);
        expect(formatDiagnostic(result, text)).toContain("Dockerfile:");
      }),
      RUNS,
    );
  });

  test("printing gives the text again", () => {
    fc.assert(
      fc.property(anyDockerfile, (text) => {
        const nodes = attempt(() => parseNodes(text));
        if (nodes instanceof DockerfileError) return;
        expect(printDockerfile(nodes.ast, nodes.source)).toBe(text);
      }),
      RUNS,
    );
  });

  test("every character belongs to one leaf, and every token lies in its instruction", () => {
    fc.assert(
      fc.property(anyDockerfile, (text) => {
        const nodes = attempt(() => parseNodes(text));
        if (nodes instanceof DockerfileError) return;
        let at = 0;
        for (const leaf of leavesOf(nodes.ast, nodes.source)) {
          expect(leaf.range.start).toBe(at);
          expect(leaf.range.end).toBeGreaterThan(at);
          at = leaf.range.end;
        }
        expect(at).toBe(text.length);
        for (const node of nodes.instructions) expectTokensInside(node);
      }),
      RUNS,
    );
  });

  test("checking and expanding throw nothing else", () => {
    fc.assert(
      fc.property(anyDockerfile, (text) => {
        checkDockerfile(text, { dockerignore: text.slice(0, 20) });
        attempt(() => parseOnbuildTrigger(text));
        const env = new Map([["x", "a/b\nc*d"]]);
        attempt(() => expandWord(text, env));
        attempt(() => splitWords(text, env, { escape: "`" }));
      }),
      { numRuns: 600 },
    );
  });

  test("ignore files throw nothing else", () => {
    const pattern = fc.array(
      fc.constantFrom(
        "*",
        "**",
        "?",
        "/",
        "a",
        "b",
        "[",
        "]",
        "^",
        "-",
        "\\",
        "!",
        "#",
        " ",
        ".",
        "..",
        "d",
        "(",
        "+",
        "Q",
        "é",
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(
        fc.array(
          pattern.map((parts) => parts.join("")),
          { maxLength: 5 },
        ),
        fc.array(fc.constantFrom("a", "b", "/", ".", "é"), { maxLength: 8 }),
        (lines, path) => {
          const ignore = attempt(() => createIgnore(parseIgnorefile(lines.join("\n"))));
          if (ignore instanceof DockerfileError) return;
          attempt(() => ignore.excludes(path.join("")));
        },
      ),
      RUNS,
    );
  });
});

describe("for any bytes", () => {
  test("decoding and encoding give them again", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(encodeUtf8(decodeUtf8(bytes))).toEqual(bytes);
      }),
      RUNS,
    );
  });

  test("a file of them prints as it was", () => {
    const line = fc.uint8Array({ maxLength: 20 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
        const bytes = Buffer.concat([
          Buffer.from("FROM a\nRUN "),
          ...lines.flatMap((part) => [part, Buffer.from("\n")]),
        ]);
        const nodes = attempt(() => parseNodes(bytes));
        if (nodes instanceof DockerfileError) return;
        expect(Buffer.from(encodeUtf8(printDockerfile(nodes.ast, nodes.source)))).toEqual(bytes);
      }),
      RUNS,
    );
  });
});

function expectTokensInside(node: InstructionNode): void {
  let at = node.extent.start;
  for (const { range } of node.tokens) {
    expect(range.start).toBeGreaterThanOrEqual(at);
    expect(range.end).toBeLessThanOrEqual(node.extent.end);
    at = Math.max(range.start, at);
  }
}
