import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { corpusFolder, dockerfilesOf, withoutWording } from "../../parser/shared-corpus.ts";
import { runCli } from "../run-cli.ts";

const GOOD = `# syntax=docker/dockerfile:1
ARG VERSION=1
FROM --platform=$BUILDPLATFORM golang:$VERSION AS build
RUN --mount=type=cache,target=/root/.cache \\
    go build
RUN <<'EOF'
echo "$HOME"
EOF
FROM scratch
COPY --from=build /app /app
`;

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "strake-parse-"));
  mkdirSync(join(cwd, "app"));
  mkdirSync(join(cwd, "empty"));
  writeFileSync(join(cwd, "app", "Dockerfile"), GOOD);
  writeFileSync(join(cwd, "bad"), "FROM scratch\nRNU x\n");
});
afterAll(() => rmSync(cwd, { recursive: true }));

const parse = (...argv: string[]) => runCli(["parse", ...argv], { cwd });

describe("strake parse", () => {
  it("shows stages and instructions with their lines", async () => {
    expect(await parse("app")).toMatchObject({
      code: 0,
      stderr: "",
      stdout: [
        "app/Dockerfile: 2 stages, 6 instructions",
        "  # syntax=docker/dockerfile:1",
        "        2  ARG VERSION=1",
        'stage 0 "build" FROM golang:$VERSION for $BUILDPLATFORM  (line 3)',
        "      4-5  RUN --mount=type=cache,target=/root/.cache go build",
        "      6-8  RUN <<'EOF'",
        "           heredoc EOF: 1 line, variables stay as they are",
        "stage 1 FROM scratch  (line 9)",
        "       10  COPY --from=build /app /app",
        "",
      ].join("\n"),
    });
  });

  it("shows the line of a file that is refused, and goes on with the next", async () => {
    const { code, stdout, stderr } = await parse("bad", "app/Dockerfile");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^app\/Dockerfile: 2 stages/);
    expect(stderr).toContain("unknown instruction: RNU\nbad:2\n");
    expect(stderr).toContain("hint: Did you mean RUN?\n");
  });

  it("gives a line of JSON for each file, also for one that is refused", async () => {
    const { code, stdout, stderr } = await parse("--json", "app", "bad");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    const [good, bad, end] = stdout.split("\n");
    expect(end).toBe("");
    expect(JSON.parse(good ?? "")).toMatchObject({
      source: "app/Dockerfile",
      syntax: { line: 1, ref: "docker/dockerfile:1" },
      instructions: {
        stages: [{ name: "build", commands: [{ mounts: [{ type: "cache" }] }, { name: "RUN" }] }, {}],
      },
    });
    expect(JSON.parse(bad ?? "")).toMatchObject({
      parse: { ok: true, nodes: [{ instruction: "from" }, { instruction: "rnu" }] },
      instructions: { ok: false, error: "unknown instruction: RNU", line: 2 },
    });
  });

  it("reads standard input, with bytes that are no UTF-8", async () => {
    const stdin = (async function* () {
      yield Buffer.from("FROM a\nENV b=\xff\n", "latin1");
    })();
    const { code, stdout } = await runCli(["parse", "--json", "-"], { cwd, stdin });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ source: "<stdin>", lossy: true, invalidUtf8Input: true });
  });

  it.each([
    ["nowhere", 'Cannot read "nowhere": there is no such file'],
    ["empty", 'Cannot find a Dockerfile in the folder "empty"'],
  ])("says why %s can't be read", async (operand, message) => {
    const { code, stderr } = await parse(operand);
    expect(code).toBe(1);
    expect(stderr).toContain(`error: ${message}\n`);
  });

  it.skipIf(corpusFolder === undefined)("prints all recorded files as BuildKit reads them", async () => {
    const recorded = [...dockerfilesOf("dockerfiles")];
    const files = recorded.map(({ name }) => join(corpusFolder ?? "", "dockerfiles", `${name}.Dockerfile`));
    const { stdout } = await parse("--json", ...files);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBe(recorded.length);
    for (const [index, { name, answer }] of recorded.entries()) {
      expect(withoutWording(JSON.parse(lines[index] ?? "")), name).toEqual(withoutWording(answer));
    }
  });
});
