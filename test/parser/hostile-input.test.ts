import { describe, expect, test } from "vitest";
import {
  checkDockerfile,
  createIgnore,
  DockerfileError,
  expandWord,
  parseDockerfile,
  parseNodes,
  printDockerfile,
  splitWords,
} from "../../src/parser/index.ts";

/*
 * Inputs that are large or nested without bound. What is asserted is the result; that it comes at all, within the test
 * runner's time limit, is the point.
 */

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof DockerfileError) return error.code;
    throw error;
  }
  return "none";
}

describe("sizes", () => {
  test("a line of 10 MB is refused", () => {
    expect(codeOf(() => parseDockerfile(`FROM a\nRUN ${"x".repeat(10_000_000)}\n`))).toBe("LINE_TOO_LONG");
  });

  test("a file of 10 MB without a line ending is refused", () => {
    expect(codeOf(() => parseDockerfile("x".repeat(10_000_000)))).toBe("LINE_TOO_LONG");
  });

  test("lines may be as long as BuildKit takes them, and no longer", () => {
    const line = (bytes: number): string => `FROM a\nRUN ${"x".repeat(bytes - 4)}`;
    expect(parseDockerfile(line(65_535)).stages[0]?.commands).toHaveLength(1);
    expect(parseDockerfile(`${line(65_535)}\n`).stages[0]?.commands).toHaveLength(1);
    expect(codeOf(() => parseDockerfile(line(65_536)))).toBe("LINE_TOO_LONG");
    expect(codeOf(() => parseDockerfile(`FROM a\nRUN ${"é".repeat(32_766)}`))).toBe("LINE_TOO_LONG");
  });

  test("100,000 stages", () => {
    const text = Array.from({ length: 100_000 }, (_, i) => `FROM a AS s${i}\n`).join("");
    expect(parseDockerfile(text).stages).toHaveLength(100_000);
  });

  test("an instruction over 100,000 lines", () => {
    const text = `FROM a\nENV ${Array.from({ length: 100_000 }, (_, i) => `K${i}=v \\\n`).join("")}Z=z\n`;
    const [env] = parseDockerfile(text).stages[0]?.commands ?? [];
    expect(env?.kind === "ENV" && env.pairs.length).toBe(100_001);
  });

  test("an exec form of 60,000 strings, and one of deep arrays", () => {
    const strings = Array.from({ length: 60_000 }, () => `"x"`);
    const lines = Array.from(
      { length: 60 },
      (_, i) => `${strings.slice(i * 1000, i * 1000 + 1000).join(",")}`,
    ).join(",\\\n");
    const [cmd] = parseDockerfile(`FROM a\nCMD [${lines}]\n`).stages[0]?.commands ?? [];
    expect(cmd?.kind === "CMD" && cmd.argv.length).toBe(60_000);
    const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
    const [shell] = parseDockerfile(`FROM a\nCMD ${deep}\n`).stages[0]?.commands ?? [];
    expect(shell?.kind === "CMD" && shell.isShellForm).toBe(true);
  });

  test("2,000 heredocs on one line", () => {
    const names = Array.from({ length: 2000 }, (_, i) => `e${i}`);
    const text = `FROM a\nRUN cat ${names.map((name) => `<<${name}`).join(" ")}\n${names.map((name) => `body\n${name}\n`).join("")}`;
    expect(parseDockerfile(text).stages[0]?.commands[0]?.node.heredocs).toHaveLength(2000);
  });
});

describe("nesting", () => {
  test("ONBUILD of 100,000 ONBUILDs prints again and is refused", () => {
    const text = `FROM a\n${`${"ONBUILD ".repeat(5000)}\\\n`.repeat(20)}RUN x\n`;
    const nodes = parseNodes(text);
    expect(printDockerfile(nodes.ast, nodes.source)).toBe(text);
    expect(codeOf(() => parseDockerfile(text))).toBe("BAD_ONBUILD");
  });

  test("substitutions within substitutions", () => {
    const nested = (depth: number): string => `${"${x:-".repeat(depth)}y${"}".repeat(depth)}`;
    expect(expandWord(nested(400), new Map()).word).toBe("y");
    expect(codeOf(() => expandWord(nested(100_000), new Map()))).toBe("BAD_SUBSTITUTION");
  });
});

describe("growth and backtracking", () => {
  test("variables that double with every line stop growing", () => {
    const text = `FROM a\nENV A=${"x".repeat(1000)}\n${"ENV A=$A$A$A$A\n".repeat(100)}`;
    expect(checkDockerfile(text).error?.code).toBe("BAD_SUBSTITUTION");
  });

  test("patterns that make regular expressions backtrack", () => {
    const value = "a".repeat(100_000);
    const env = new Map([["v", value]]);
    expect(expandWord("${v##*a*a*a*a*a*a*a*a*a*b}", env).word).toBe(value);
    expect(expandWord("${v//a*a*a*a*a*a*a*b/x}", env).word).toBe(value);
    const ignore = createIgnore(["*a*a*a*a*a*a*a*a*a*a*b", "**/a/**/a/**/a/**/b"]);
    expect(ignore.excludes("a".repeat(3000))).toBe(false);
    expect(ignore.excludes("a/".repeat(1000).slice(0, -1))).toBe(false);
  });

  test("blanks and quotes without end", () => {
    expect(splitWords(" ".repeat(1_000_000), new Map())).toEqual([]);
    expect(codeOf(() => splitWords(`"${" ".repeat(1_000_000)}`, new Map()))).toBe("BAD_SUBSTITUTION");
    expect(
      codeOf(() => parseDockerfile(`FROM a\n# check=${" ".repeat(60_000)}x\nRUN ${"'".repeat(60_000)}\n`)),
    ).toBe("none");
  });
});
