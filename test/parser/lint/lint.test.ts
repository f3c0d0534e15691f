import { describe, expect, test } from "vitest";
import {
  buildChecks,
  checkDockerfile,
  createIgnore,
  formatDiagnostic,
  type LintOptions,
  lint,
  parseDockerfile,
} from "../../../src/parser/index.ts";

/** The rules that speak, with their lines. */
function found(text: string, options: LintOptions = {}): readonly string[] {
  return checkDockerfile(text, options).diagnostics.map(({ rule, range }) => `${rule} ${range.startLine}`);
}

/** For each rule a file that it finds fault with, and one that it does not. */
const CASES: Readonly<
  Record<string, readonly [bad: string, line: number, good: string, options?: LintOptions]>
> = {
  ConsistentInstructionCasing: ["FROM a\nRUN b\nrun c\n", 3, "from a\nrun b\n"],
  CopyIgnoredFile: ["FROM a\nCOPY x.md /\n", 2, "FROM a\nCOPY x /\n", { dockerignore: "*.md\n" }],
  DuplicateStageName: ["FROM a AS x\nFROM b AS X\n", 2, "FROM a AS x\nFROM b AS y\n"],
  ExposeInvalidFormat: ["FROM a\nEXPOSE 80:80\n", 2, "FROM a\nEXPOSE 80 81-82/udp\n"],
  ExposeProtoCasing: ["FROM a\nEXPOSE 80/TCP\n", 2, "FROM a\nEXPOSE 80/tcp\n"],
  FromAsCasing: ["FROM a as b\n", 1, "from a as b\nfrom c\n"],
  FromPlatformFlagConstDisallowed: [
    "FROM --platform=linux/arm64 a\n",
    1,
    "FROM --platform=linux/arm64 a AS for-arm64\n",
  ],
  InvalidBaseImagePlatform: [
    "FROM a\n",
    1,
    "FROM scratch\n",
    { baseImage: () => ({ platform: "linux/arm64" }) },
  ],
  InvalidDefaultArgInFrom: ["ARG V\nFROM a:$V\n", 2, "ARG V=1\nFROM a:$V\n", { buildArgs: { V: "2" } }],
  InvalidDefinitionDescription: [
    "# check=experimental=InvalidDefinitionDescription\n# about\nARG a\nFROM b\n",
    3,
    "# check=experimental=all\n# a is for\nARG a\nFROM b\n",
  ],
  JSONArgsRecommended: ["FROM a\nCMD b\n", 2, 'FROM a\nSHELL ["x"]\nCMD b\n'],
  LegacyKeyValueFormat: ["FROM a\nENV b c\n", 2, "FROM a\nENV b=c\n"],
  MaintainerDeprecated: ["FROM a\nMAINTAINER b\n", 2, "FROM a\nLABEL maintainer=b\n"],
  MultipleInstructionsDisallowed: [
    'FROM a\nCMD ["b"]\nCMD ["c"]\n',
    2,
    'FROM a\nCMD ["b"]\nFROM c\nCMD ["d"]\n',
  ],
  NoEmptyContinuation: ["FROM a\nRUN b \\\n\n c\n", 4, "FROM a\nRUN b \\\n#\n c\n"],
  RedundantTargetPlatform: ["FROM --platform=$TARGETPLATFORM a\n", 1, "FROM --platform=$BUILDPLATFORM a\n"],
  ReservedStageName: ["FROM a AS scratch\n", 1, "FROM a AS scratch2\n"],
  SecretsUsedInArgOrEnv: ["FROM a\nARG API_KEY\n", 2, "FROM a\nARG PUBLIC_KEY KEYBOARD KEY_FILE\n"],
  StageNameCasing: ["FROM a AS Build\n", 1, "FROM a AS build\n"],
  UndefinedArgInFrom: ["ARG V=1\nFROM a:1$W\n", 2, "ARG V\nFROM a:1$V\n"],
  UndefinedVar: ["FROM a\nCOPY $src /\n", 2, "FROM a\nARG src\nCOPY $src $PATH\n"],
  WorkdirRelativePath: ["FROM a\nWORKDIR b\n", 2, "FROM a\nWORKDIR /b\nWORKDIR c\n"],
};

describe("every build check", () => {
  test("has a case here", () => {
    expect(Object.keys(CASES).sort()).toEqual(Object.keys(buildChecks).sort());
  });

  test.each(Object.entries(CASES))(
    "%s finds what it is for, and nothing else",
    (rule, [bad, line, good, options]) => {
      expect(found(bad, options)).toContain(`${rule} ${line}`);
      expect(found(good, options).filter((other) => other.startsWith(rule))).toEqual([]);
    },
  );

  test.each(Object.entries(CASES))(
    "%s can be left out, for the file and for an instruction",
    (rule, [bad, , , options]) => {
      if (buildChecks[rule]?.isExperimental === true) return;
      expect(
        found(`# check=skip=${rule}\n${bad}`, options).filter((other) => other.startsWith(rule)),
      ).toEqual([]);
      expect(found(`# check=skip=all\n${bad}`, options)).toEqual([]);
    },
  );

  test("is found by its name", () => {
    for (const [name, check] of Object.entries(buildChecks)) expect(check.name).toBe(name);
  });

  test.each(Object.values(buildChecks))("$name has a page and a sentence", ({ url, description }) => {
    expect(url).toMatch(/^https:\/\/docs\.docker\.com\/go\/dockerfile\/rule\/[a-z-]+\/$/);
    expect(description).toMatch(/^[A-Z].*[^.]$/);
  });
});

describe("lint()", () => {
  test("reports with places, sorted by line", () => {
    const text = "from a AS B\nWORKDIR c\nCMD d\n";
    const diagnostics = lint(parseDockerfile(text));
    expect(diagnostics.map(({ rule }) => rule)).toEqual([
      "ConsistentInstructionCasing",
      "FromAsCasing",
      "StageNameCasing",
      "WorkdirRelativePath",
      "JSONArgsRecommended",
    ]);
    expect(diagnostics[3]).toMatchObject({
      range: { startLine: 2, endLine: 2, startColumn: 1, endColumn: 10 },
    });
    expect(formatDiagnostic(diagnostics[3] ?? { message: "" }, text)).toContain(
      "Dockerfile:2:1: WorkdirRelativePath: Relative workdir",
    );
  });

  test("knows build arguments, the base image's variables and the ignore file", () => {
    const text = "FROM a\nARG V\nCOPY $V $HOME b/c /\n";
    expect(found(text)).toEqual(["UndefinedVar 3"]);
    expect(found(text, { baseEnv: { HOME: "/" }, buildArgs: { V: "1" }, dockerignore: "b\n" })).toEqual([
      "CopyIgnoredFile 3",
    ]);
    expect(
      found(text, { baseEnv: new Map([["HOME", "/"]]), dockerignore: createIgnore(["b", "!x"]) }),
    ).toEqual([]);
  });

  test("suggests the name that was meant", () => {
    const [first] = checkDockerfile("FROM a\nENV VERSION=1\nUSER $VERSON\n").diagnostics;
    expect(first?.message).toContain("(did you mean $VERSION?)");
  });

  test("looks at one stage's needs where a target is named", () => {
    const text = "FROM a AS one\nWORKDIR x\nFROM b AS two\nWORKDIR y\n";
    expect(found(text)).toEqual(["WorkdirRelativePath 2", "WorkdirRelativePath 4"]);
    expect(found(text, { target: "one" })).toEqual(["WorkdirRelativePath 2"]);
    expect(checkDockerfile(text, { target: "three" }).error?.code).toBe("NO_STAGE");
  });

  test("follows check comments above instructions; a malformed one is ignored", () => {
    expect(found("FROM a\n# check=skip=WorkdirRelativePath\nWORKDIR x\n")).toEqual([]);
    expect(found("FROM a\n# check=bogus\nWORKDIR x\n")).toEqual(["WorkdirRelativePath 3"]);
  });
});

describe("checkDockerfile()", () => {
  test("hands out what was found before the error", () => {
    const { diagnostics, error } = checkDockerfile("FROM a as b\nFOO\n");
    expect(diagnostics.map(({ rule }) => rule)).toEqual(["FromAsCasing"]);
    expect(error?.code).toBe("UNKNOWN_INSTRUCTION");
  });

  test("follows a build argument instead of the file", () => {
    const check = (text: string, option: string) =>
      checkDockerfile(text, { buildArgs: { BUILDKIT_DOCKERFILE_CHECK: option } });
    expect(check("FROM a as b\n", "error=true").error?.code).toBe("CHECK_VIOLATION");
    expect(check("# check=error=true\nFROM a as b\n", "").error).toBeUndefined();
    expect(check("FROM a as b\n", "skip=all").diagnostics).toEqual([]);
    expect(check("FROM a AS b\n", "bogus").error?.code).toBe("BAD_CHECK_OPTION");
  });

  test("makes warnings an error where the file says so", () => {
    expect(checkDockerfile("# check=error=true\nFROM a as b\n").error?.reason).toContain("FromAsCasing");
    expect(checkDockerfile("# check=error=true\nFROM a AS b\n").error).toBeUndefined();
    expect(checkDockerfile("# check=error=maybe\nFROM a AS b\n").error).toMatchObject({
      code: "BAD_CHECK_OPTION",
      at: { startLine: 1 },
    });
  });

  test.each([
    ["FROM $X\n", "should not be blank"],
    ["FROM A_B\n", "failed to parse stage name"],
    ["FROM a AS b\nCOPY --from=b x y\n", "circular dependency"],
    ["FROM a\nCOPY --from=3 x y\n", "invalid stage index 3"],
    ["FROM a\nCOPY --from=$X x y\n", "variable expansion is not supported for --from"],
    ["FROM a AS b\nCOPY --from=c x y\nFROM a AS c\n", "needs to be defined before current stage"],
    ["FROM a\nCOPY --chmod=999 x y\n", "invalid chmod parameter"],
    ["FROM a\nADD --checksum=x a b\n", "checksum requires"],
    ["FROM a\nADD --checksum=sha256:00 http://x/y /z\n", "invalid checksum digest length"],
    ["FROM a\nCOPY https://example.com/x y\n", "source can't be a URL for COPY"],
    ["FROM a\nCOPY git@example.com:x/y.git z\n", "source can't be a git ref for COPY"],
    ["FROM a\nRUN --mount=type=tmpfs,target=/ x\n", "invalid mount target"],
    ["FROM a\nEXPOSE 70000\n", "invalid containerPort"],
    ["FROM a\nSTOPSIGNAL SIGFOO\n", "invalid signal"],
    ["FROM a AS b\nONBUILD FOO\nFROM b\n", "unknown instruction: FOO"],
    ["ARG X=1\n", "no stages to build"],
    ["FROM a\nUSER ${X:?none}\n", "X: none"],
  ])("%j would fail: %s", (text, reason) => {
    expect(checkDockerfile(text).error?.reason).toContain(reason);
  });
});
