import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listRules } from "../../../src/cli/check/rules.ts";
import { runCli } from "../run-cli.ts";

const TOKEN = `ghp_${"a1".repeat(18)}`;
const BAD = `FROM debian:12.8
RUN apt-get update \\
    && apt-get install curl
LABEL key=${TOKEN}
MAINTAINER "100%, sure"
`;

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "strake-check-"));
  mkdirSync(join(cwd, "app dir"));
  writeFileSync(join(cwd, "app dir", "Dockerfile"), "FROM debian:12.8\nCOPY a.md /\n");
  writeFileSync(join(cwd, "app dir", ".dockerignore"), "*.md\n");
  writeFileSync(join(cwd, "bad"), BAD);
  writeFileSync(join(cwd, "broken"), "FROM debian:12.8\nRNU x\n");
  writeFileSync(join(cwd, "clean"), "FROM debian:12.8\nRUN true\n");
  writeFileSync(join(cwd, "mild"), "FROM debian:12.8\nADD a.txt /\n");
  writeFileSync(join(cwd, "strict"), "# check=error=true\nFROM debian:12.8\nMAINTAINER a\n");
  writeFileSync(
    join(cwd, "skipping"),
    "# check=skip=MaintainerDeprecated,AddInsteadOfCopy\nFROM debian:12.8\nMAINTAINER a\nADD a /\n# check=skip=SudoUsed\nRUN sudo true\nRUN sudo false\n",
  );
});
afterAll(() => rmSync(cwd, { recursive: true }));

const check = (...argv: string[]) => runCli(["check", ...argv], { cwd });

async function rulesOf(...argv: string[]): Promise<readonly string[]> {
  const { stdout } = await check("--format", "json", ...argv);
  const { files } = JSON.parse(stdout) as {
    files: { findings: { rule: string; range: { start: { line: number } } }[] }[];
  };
  return files.flatMap(({ findings }) => findings.map(({ rule, range }) => `${rule} ${range.start.line}`));
}

describe("strake check", () => {
  it("marks what it finds, with what to do, and shows no secret", async () => {
    const { code, stdout, stderr } = await check("bad");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toContain(
      [
        'bad:3:8: warning: "apt-get install" asks for a confirmation that nobody can give (InstallNotConfirmed)',
        "  3 |     && apt-get install curl",
        "    |        ^^^^^^^^^^^^^^^^^^^^",
        "  fix: Add -y (zypper: --non-interactive, pacman: --noconfirm)",
      ].join("\n"),
    );
    expect(stdout).toContain(`  4 | LABEL key=${"*".repeat(TOKEN.length)}\n`);
    expect(stdout).not.toContain(TOKEN);
    expect(stdout).toMatch(/\n1 file checked: 1 error, 3 warnings\n$/);
  });

  it("explains a rule once, however often it speaks", async () => {
    const { stdout } = await check("bad", "bad");
    expect(stdout.match(/\(AptListsLeft\)/g)?.length).toBe(2);
    expect(stdout.match(/docs\/rules\/apt-lists-left\.md/g)?.length).toBe(1);
  });

  it.each([
    [["clean"], 0],
    [["mild"], 0],
    [["mild", "--fail-on", "info"], 1],
    [["bad"], 1],
    [["bad", "--fail-on", "never"], 0],
    [["bad", "--fail-on", "error", "--skip", "SecretInFile"], 0],
    [["strict", "--fail-on", "error"], 1],
    [["broken", "--fail-on", "error"], 1],
    [["--format", "xml"], 2],
    [["--fail-on", "hint"], 2],
    [["--skip", "Nonsense"], 2],
    [["nowhere"], 1],
  ])("%j leaves with %d", async (argv, expected) => {
    expect((await check(...argv)).code).toBe(expected);
  });

  it("takes a folder with its .dockerignore, and several files", async () => {
    expect(await rulesOf("app dir", "clean", "mild")).toEqual(["CopyIgnoredFile 2", "AddInsteadOfCopy 2"]);
  });

  it("reads standard input", async () => {
    const { stdout } = await runCli(["check", "-"], { cwd, stdin: "FROM debian:12.8\nRUN sudo true\n" });
    expect(stdout).toContain("<stdin>:2:5: warning: ");
  });

  it("tells why a build would fail, and goes on with the next file", async () => {
    expect(await rulesOf("broken", "mild")).toEqual(["BuildError 2", "AddInsteadOfCopy 2"]);
    expect((await check("broken")).stdout).toContain("fix: Did you mean RUN?");
  });

  it("follows check= in the file and above an instruction, for both kinds of rules", async () => {
    expect(await rulesOf("skipping")).toEqual(["SudoUsed 7"]);
  });

  it("suggests a rule's name", async () => {
    expect((await check("--skip", "AptListLeft")).stderr).toContain("hint: Did you mean AptListsLeft?\n");
  });

  it("leaves rules out and takes rules in", async () => {
    const names = (
      await rulesOf("bad", "--skip", "AptListsLeft,SecretInFile", "--enable", "AptRecommends")
    ).map((each) => each.split(" ")[0]);
    expect(names).toEqual(
      ["InstallNotConfirmed", "AptRecommends", "MaintainerDeprecated"].toSorted(byPlace(names)),
    );
  });

  it("lists its rules", async () => {
    const { code, stdout } = await check("--list-rules");
    expect(code).toBe(0);
    for (const { name } of listRules()) expect(stdout).toContain(`\n${name} `);
  });
});

describe("strake check --format github", () => {
  it("escapes what would end a command or a property", async () => {
    const { stdout } = await check("--format", "github", "bad", "app dir");
    expect(stdout).toContain(
      "::warning file=bad,line=2,endLine=2,col=5,endColumn=19,title=AptListsLeft::The package lists that this fetches stay in the image. ",
    );
    expect(stdout).toContain("::error file=bad,line=4,");
    expect(stdout).toContain("::warning file=app dir/Dockerfile,line=2,");
    expect(stdout).not.toContain(TOKEN);
    for (const line of stdout.trimEnd().split("\n"))
      expect(line).toMatch(/^::(?:error|warning|notice) [^:]+::.+$/);
  });
});

describe("strake check --format sarif", () => {
  it("is a log whose results name its rules and places in the file", async () => {
    const { stdout } = await check("--format", "sarif", "bad", "app dir");
    const log = JSON.parse(stdout) as SarifLog;
    expect(log.version).toBe("2.1.0");
    const [run] = log.runs;
    const { rules } = run?.tool.driver ?? { rules: [] };
    expect(rules.map(({ id }) => id)).toEqual(listRules().map(({ name }) => name));
    for (const { helpUri, shortDescription, help } of rules) {
      expect(new URL(helpUri).protocol).toBe("https:");
      expect(shortDescription.text.endsWith(".")).toBe(true);
      expect(help.markdown).toContain(helpUri);
    }
    const results = run?.results ?? [];
    for (const { ruleId, ruleIndex, locations } of results) {
      expect(rules[ruleIndex]?.id).toBe(ruleId);
      const { region } = locations[0]?.physicalLocation ?? { region: undefined };
      expect(region?.startLine).toBeGreaterThan(0);
      expect(region?.startColumn).toBeGreaterThan(0);
    }
    expect(results.at(-1)).toMatchObject({
      ruleId: "CopyIgnoredFile",
      level: "warning",
      locations: [
        { physicalLocation: { artifactLocation: { uri: "app%20dir/Dockerfile", uriBaseId: "%SRCROOT%" } } },
      ],
    });
    expect(stdout).not.toContain(TOKEN);
  });
});

interface SarifLog {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: {
      readonly driver: {
        readonly rules: readonly {
          readonly id: string;
          readonly helpUri: string;
          readonly shortDescription: { readonly text: string };
          readonly help: { readonly markdown: string };
        }[];
      };
    };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region: { readonly startLine: number; readonly startColumn: number };
        };
      }[];
    }[];
  }[];
}

/** Both stand in one place; their order is no matter. */
function byPlace(order: readonly (string | undefined)[]): (a: string, b: string) => number {
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}
