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
      ["TARGET      DESCRIPTION", "base", "tests       runs the tests", "unused", "(default)", ""].join("\n"),
    );
  });
});

describe("strake build --call outline", () => {
  it("lists what the target and its sources take", async () => {
    const { stdout } = await build("--call", "outline", "--build-arg", "DEBUG=yes", ".");
    expect(stdout).toBe(
      [
        "BUILD ARG   VALUE     DESCRIPTION",
        "VER         1         is the version of everything",
        "DEBUG       yes",
        "CI          false     is set in pipelines",
        "",
        "SECRET    REQUIRED",
        "npm       true",
        "",
        "SSH       REQUIRED",
        "default",
        "",
        "CACHE",
        "/root/.cache",
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
      secrets: [{ name: "npm", required: true }],
    });
    expect((await build("--call", "outline", "--target", "nope", ".")).code).toBe(1);
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
