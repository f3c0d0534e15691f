import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../run-cli.ts";

const DOCKERFILE = `# VER is the version of everything
ARG VER=1
FROM busybox:$VER as base
ARG DEBUG
RUN --mount=type=secret,id=npm,required --mount=type=cache,target=/root/.cache --mount=type=ssh true

# tests runs the tests
FROM base AS tests
# CI is set in pipelines
ARG CI=false

FROM scratch AS unused
ARG NOT_LISTED

FROM scratch
COPY --from=tests /x /x
`;

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "strake-call-"));
  writeFileSync(join(cwd, "Dockerfile"), DOCKERFILE);
  writeFileSync(join(cwd, "good"), "FROM scratch\nCOPY a /a\n");
  writeFileSync(join(cwd, "bad"), "FROM scratch\nRNU x\n");
  writeFileSync(join(cwd, "good.dockerignore"), "b\n");
});
afterAll(() => rmSync(cwd, { recursive: true }));

const build = (...argv: string[]) => runCli(["build", ...argv], { cwd });

describe("strake build --check", () => {
  it("shows what it finds with its lines, and leaves with 1", async () => {
    const { code, stdout, stderr } = await build("--check", ".");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toContain(
      "WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/\n",
    );
    expect(stdout).toContain("Dockerfile:3\n--------------------\n");
    expect(stdout).toContain("   3 | >>> FROM busybox:$VER as base\n");
    expect(stdout.endsWith("Check complete, 1 warning has been found!\n")).toBe(true);
  });

  it("leaves with 0 when there is nothing to find", async () => {
    const run = await build("--call", "lint", "-f", "good", ".");
    expect(run).toEqual({ ...run, code: 0, stdout: "Check complete, no warnings found.\n", stderr: "" });
  });

  it("reads the ignore file beside the Dockerfile", async () => {
    writeFileSync(join(cwd, "good.dockerignore"), "a\n");
    expect((await build("--check", "-f", "good", ".")).stdout).toContain("CopyIgnoredFile");
  });

  it("tells an error of the Dockerfile as a build does", async () => {
    const { code, stdout, stderr } = await build("--check", "-f", "bad", ".");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("unknown instruction: RNU\nbad:2\n");
  });

  it("has a JSON form", async () => {
    const found = JSON.parse((await build("--call", "check,format=json", ".")).stdout) as object;
    expect(found).toMatchObject({
      warnings: [
        { ruleName: "FromAsCasing", location: { ranges: [{ start: { line: 3 }, end: { line: 3 } }] } },
      ],
    });
    const failed = await build("--call", "check,format=json", "-f", "bad", ".");
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      warnings: [],
      buildError: { location: { file: "bad" } },
    });
  });

  it("looks into an archive for the Dockerfile", async () => {
    const run = await runCli(["build", "--check", "-"], { cwd, stdin: "\0".repeat(1024) });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain("open Dockerfile: no such file or directory");
  });
});

describe("strake build --call targets", () => {
  it("lists the stages", async () => {
    expect((await build("--call", "targets", ".")).stdout).toBe(
      [
        "TARGET    DESCRIPTION",
        "base      ",
        "tests     runs the tests",
        "unused    ",
        "(default) ",
        "",
      ].join("\n"),
    );
  });
});

describe("strake build --call outline", () => {
  it("lists what the target and its sources take", async () => {
    const { stdout } = await build("--call", "outline", "--build-arg", "DEBUG=yes", ".");
    expect(stdout).toBe(
      [
        "BUILD ARG   VALUE   DESCRIPTION",
        "VER         1       is the version of everything",
        "DEBUG       yes     ",
        "CI          false   is set in pipelines",
        "",
        "SECRET   REQUIRED",
        "npm      true",
        "",
        "SSH       REQUIRED",
        "default   ",
        "",
        "",
      ].join("\n"),
    );
  });

  it("has a JSON form and knows targets by name", async () => {
    const outline = JSON.parse(
      (await build("--call", "outline,format=json", "--target", "TESTS", ".")).stdout,
    ) as object;
    expect(outline).toMatchObject({
      name: "tests",
      description: "runs the tests",
      args: [
        { name: "VER", value: "1", location: { ranges: [{ start: { line: 2 }, end: { line: 2 } }] } },
        {},
        {},
      ],
      secrets: [
        { name: "npm", required: true, location: { ranges: [{ start: { line: 5 }, end: { line: 5 } }] } },
      ],
      cacheMounts: ["/root/.cache"],
      sources: [Buffer.from(DOCKERFILE).toString("base64")],
    });
    expect((await build("--call", "outline", "--target", "nope", ".")).code).toBe(1);
  });
});

describe("outlines of arguments", () => {
  const outline = async (text: string, ...argv: string[]): Promise<readonly string[]> => {
    const { stdout } = await runCli(["build", "--call", "outline,format=json", ...argv, "-"], {
      cwd,
      stdin: text,
    });
    const { args = [] } = JSON.parse(stdout) as { args?: { name: string; value?: string }[] };
    return args.map(({ name, value = "" }) => `${name}=${value}`);
  };

  it("have values with variables expanded, also those of other stages", async () => {
    const text = "ARG V=1\nFROM scratch AS a\nARG V\nENV E=x\nARG W=$E-$V\nFROM a\nARG X=${W}2\n";
    expect(await outline(text)).toEqual(["V=1", "W=x-1", "X=x-12"]);
    expect(await outline(text, "--build-arg", "V=2")).toEqual(["V=2", "W=x-2", "X=x-22"]);
  });

  it("have what is above the first FROM only where it is used", async () => {
    const text = "ARG A=1\nARG B=s$A\nARG C\nARG D=x\nFROM scratch AS other\nARG D\nFROM $B\n";
    expect(await outline(text)).toEqual(["A=1", "B=s1"]);
    expect(await outline(text, "--target", "other")).toEqual(["D=x"]);
  });

  it("leave out what the builder sets itself", async () => {
    expect(await outline("FROM scratch\nARG TARGETARCH BUILDOS\nARG TARGETOS=mine\n")).toEqual([
      "TARGETOS=mine",
    ]);
  });
});

describe("strake build --call", () => {
  it.each([
    [["--call", "frob", "."]],
    [["--call", "check,x=y", "."]],
    [["--check", "--call", "targets", "."]],
  ])("refuses %j", async (argv) => {
    expect((await build(...argv)).code).toBe(2);
  });
});
