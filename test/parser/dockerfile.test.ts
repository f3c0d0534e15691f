import { describe, expect, test } from "vitest";
import {
  DockerfileError,
  type Instruction,
  parseDockerfile,
  parseNodes,
  parseOnbuildTrigger,
} from "../../src/parser/index.ts";

function instruction(line: string): Instruction {
  const command = parseDockerfile(`FROM a\n${line}\n`).stages[0]?.commands[0];
  if (command === undefined) throw new Error("There is no instruction");
  return command;
}

function errorOf(text: string): DockerfileError {
  try {
    parseDockerfile(text);
  } catch (error) {
    if (error instanceof DockerfileError) return error;
    throw error;
  }
  throw new Error("The Dockerfile was accepted");
}

describe("parseDockerfile()", () => {
  test("separates ARGs before the first FROM, stages and their instructions", () => {
    const { metaArgs, stages } = parseDockerfile(
      "ARG A=1\nFROM a:$A AS One\nRUN x\nFROM One\nCMD y\nUSER z\n",
    );
    expect(metaArgs.map(({ args }) => args)).toEqual([[{ key: "A", value: "1", docComment: "" }]]);
    expect(
      stages.map(({ name, baseName, commands }) => [name, baseName, commands.map(({ kind }) => kind)]),
    ).toEqual([
      ["one", "a:$A", ["RUN"]],
      [undefined, "One", ["CMD", "USER"]],
    ]);
  });

  test("knows directives, also where only a builder looks for them", () => {
    const { syntax, check, ...file } = parseDockerfile(
      "# syntax=docker/dockerfile:1 x\n# check=skip=all\n# escape=`\nFROM a\n",
    );
    expect({ syntax, check, escape: file.escape }).toEqual({
      syntax: { line: 1, value: "docker/dockerfile:1", raw: "docker/dockerfile:1 x" },
      check: { line: 2, value: "skip=all", raw: "skip=all" },
      escape: "`",
    });
    expect(parseDockerfile("#!/usr/bin/env x\n# syntax=y\nFROM a\n").syntax?.line).toBe(2);
    expect(parseDockerfile("# comment\n# escape=`\nFROM a\n").escape).toBe("\\");
  });

  test("takes the descriptions of stages and arguments from the comments above", () => {
    const { metaArgs, stages } = parseDockerfile("# V the version\nARG V\n# app what runs\nFROM a AS app\n");
    expect(metaArgs[0]?.args[0]?.docComment).toBe("the version");
    expect(stages[0]?.docComment).toBe("what runs");
  });

  test("keeps places: of instructions, and of what is wrong in them", () => {
    expect(instruction("COPY a b \\\n  /c").at).toEqual({
      file: "Dockerfile",
      startLine: 2,
      startColumn: 1,
      endLine: 3,
      endColumn: 5,
    });
    const { at, focus } = errorOf("FROM a\nENV A=b \\\n  C\n");
    expect([at?.startLine, focus?.startLine, focus?.startColumn]).toEqual([2, 3, 3]);
    expect(errorOf("FROM a\nFOO\n").at?.file).toBe("Dockerfile");
  });

  test("puts the file's name into spans", () => {
    expect(parseDockerfile("FROM a\n", { filename: "build/Dockerfile" }).stages[0]?.at.file).toBe(
      "build/Dockerfile",
    );
  });

  test("warns of empty lines in continued instructions", () => {
    expect(parseDockerfile("FROM a\nRUN a \\\n\n  b\n").warnings).toEqual([
      { rule: "NoEmptyContinuation", message: "Empty continuation line found in: RUN a   b", line: 4 },
    ]);
  });

  test.each([
    ["CMD a b", { argv: ["a b"], isShellForm: true }],
    ['CMD ["a", "b"]', { argv: ["a", "b"], isShellForm: false }],
    ["CMD []", { argv: [], isShellForm: false }],
    ["CMD", { argv: [], isShellForm: true }],
    [
      "RUN --network=host --security=insecure --device=vendor/class=a,required x",
      {
        network: "host",
        security: "insecure",
        devices: [{ name: "vendor/class=a", required: true }],
        flagsUsed: ["network", "security", "device"],
      },
    ],
    ["ENV a=b c", undefined],
    ["ENV a b=c", { pairs: [{ key: "a", value: "b=c", isLegacy: true }] }],
    ['LABEL "a b"="c d"', { pairs: [{ key: '"a b"', value: '"c d"' }] }],
    [
      "ARG a b=c",
      {
        args: [
          { key: "a", value: undefined, docComment: "" },
          { key: "b", value: "c", docComment: "" },
        ],
      },
    ],
    [
      "COPY --from=0 --chmod=755 --parents a b /c",
      { from: "0", chmod: "755", parents: true, link: false, sources: ["a", "b"], destination: "/c" },
    ],
    ["ADD --unpack --keep-git-dir=false a b", { unpack: true, keepGitDir: false, checksum: undefined }],
    ["EXPOSE 9 80 443", { ports: ["443", "80", "9"] }],
    ["WORKDIR a b", { path: "a b" }],
    ["VOLUME a b", { volumes: ["a", "b"] }],
    [
      "HEALTHCHECK --interval=1m --retries=2 CMD x",
      { test: ["CMD-SHELL", "x"], intervalNs: 60_000_000_000, retries: 2, timeoutNs: 0 },
    ],
    ['HEALTHCHECK CMD ["x", "y"]', { test: ["CMD", "x", "y"] }],
    ["HEALTHCHECK --anything NONE", { test: ["NONE"] }],
    ['SHELL ["a", "-c"]', { shell: ["a", "-c"] }],
    ["STOPSIGNAL --ignored 9", { signal: "9" }],
    ["ONBUILD RUN x", { expression: "RUN x" }],
  ])("%s", (line, wanted) => {
    if (wanted === undefined) expect(() => instruction(line)).toThrow(DockerfileError);
    else expect(instruction(line)).toMatchObject(wanted);
  });

  test("COPY takes files from heredocs", () => {
    expect(instruction("COPY <<-'A' <<B x /d/\n\tone $x\n\tA\ntwo $x\nB")).toMatchObject({
      sources: ["x"],
      contents: [
        { name: "A", data: "one $x\n", expand: false },
        { name: "B", data: "two $x\n", expand: true },
      ],
    });
  });

  test("bytes that are no UTF-8 are kept apart and can be had back", () => {
    const bytes = Buffer.concat([Buffer.from("FROM a\nRUN "), Buffer.of(0xff, 0x80), Buffer.from("\n")]);
    const [run] = parseDockerfile(bytes).stages[0]?.commands ?? [];
    expect(run?.kind === "RUN" && run.argv).toEqual(["\udcff\udc80"]);
  });
});

describe("flags and HEALTHCHECK's first word are read byte by byte", () => {
  const first = (line: string | Uint8Array): unknown => {
    const content = Buffer.concat([Buffer.from("FROM a\n"), Buffer.from(line)]);
    const node = parseNodes(content).instructions[1];
    return node && { flags: node.flags, args: node.args };
  };

  test.each([
    ["RUN --a=\u00e9 b", { flags: ["--a=\u00c3\u00a9"], args: ["b"] }],
    ["RUN --a=\u00e0b c", { flags: ["--a=\u00c3"], args: ["b c"] }],
    ["RUN --\u00a0a b", { flags: ["--\u00c2"], args: ["a b"] }],
    ["RUN \u0085 a", { flags: [], args: ["a"] }],
    ["HEALTHCHECK CMD\u00a0x", { flags: [], args: ["CMD\udcc2", "x"] }],
    ["HEALTHCHECK CMD \u0085x", { flags: [], args: ["CMD", "\u0085x"] }],
    [Buffer.from([0x52, 0x55, 0x4e, 0x20, 0xa0, 0x85, 0x78]), { flags: [], args: ["x"] }],
  ])("%j", (line, wanted) => {
    expect(first(line)).toEqual(wanted);
  });
});

describe("parseNodes()", () => {
  test("takes what only the second phase refuses", () => {
    expect(parseNodes("FOO bar\nFROM a b\n").instructions.map(({ name, args }) => [name, args])).toEqual([
      ["foo", [""]],
      ["from", ["a", "b"]],
    ]);
  });
});

describe("parseOnbuildTrigger()", () => {
  test("parses what ONBUILD stored", () => {
    const stored = instruction("ONBUILD COPY <<EOF /a\nx\nEOF");
    const expression = stored.kind === "ONBUILD" ? stored.expression : "";
    expect(expression).toBe("COPY <<EOF /a\nx\nEOF");
    expect(parseOnbuildTrigger(expression)).toMatchObject({
      kind: "COPY",
      contents: [{ name: "EOF", data: "x\n" }],
    });
  });

  test.each(["RUN a\nRUN b", "FROM x", "FOO", ""])("refuses %j", (text) => {
    expect(() => parseOnbuildTrigger(text)).toThrow(DockerfileError);
  });
});
