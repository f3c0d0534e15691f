import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { printError } from "../../../src/cli/errors/print-error.ts";
import { sourceExcerpt } from "../../../src/cli/errors/source-excerpt.ts";
import { StrakeError } from "../../../src/errors.ts";
import { FakeOutput } from "../fake-output.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "strake-errors-"));
  writeFileSync(join(folder, "Dockerfile"), "FROM busybox\n\nRUN false\nCMD x\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

async function print(error: unknown, settings: { debug?: boolean; sources?: [string, string][] } = {}) {
  const stderr = new FakeOutput();
  await printError(error, {
    stderr,
    cwd: folder,
    settings: { debug: settings.debug ?? false, noColor: true },
    sources: new Map(settings.sources ?? []),
  });
  return stderr.text;
}

const whole = { startLine: 3, startColumn: 1, endLine: 3, endColumn: 10 };

describe("printError()", () => {
  it("shows message, causes, lines and hint", async () => {
    const cause = new Error("deep down\nsecond line", { cause: new Error("deeper") });
    const error = new StrakeError("X", "Cannot do it", {
      at: { file: "Dockerfile", ...whole },
      hint: "Try again",
      cause,
    });
    expect(await print(error)).toBe(
      [
        "error: Cannot do it",
        "  caused by: deep down",
        "  caused by: deeper",
        "Dockerfile:3",
        "--------------------",
        "   1 |     FROM busybox",
        "   2 |",
        "   3 | >>> RUN false",
        "   4 |     CMD x",
        "--------------------",
        "hint: Try again",
        "",
      ].join("\n"),
    );
  });

  it("takes the place from a cause, and does not repeat what was said", async () => {
    const cause = new StrakeError("Y", "no such image", { at: { file: "Dockerfile", ...whole } });
    const text = await print(new StrakeError("X", "Cannot resolve: no such image", { cause }));
    expect(text).toContain("Dockerfile:3\n");
    expect(text).not.toContain("caused by");
  });

  it("shows lines of a Dockerfile that came on standard input", async () => {
    const error = new StrakeError("X", "Cannot", { at: { file: "<stdin>", ...whole } });
    const text = await print(error, { sources: [["<stdin>", "FROM a\r\n\r\nRUN x\r\n"]] });
    expect(text).toContain("<stdin>:3\n--------------------\n   1 |     FROM a\n   2 |\n   3 | >>> RUN x\n");
  });

  it("names the place alone when the file is not here", async () => {
    const error = new StrakeError("X", "Cannot", { at: { file: "far/Dockerfile", ...whole } });
    expect(await print(error)).toBe("error: Cannot\nfar/Dockerfile:3\n");
  });

  it("says what the operating system said, without a stack", async () => {
    const error = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      errno: -28,
      code: "ENOSPC",
    });
    expect(await print(error)).toBe("error: ENOSPC: no space left on device, write\n");
  });

  it("apologises for its own faults and shows the stack only when debugging", async () => {
    const error = new TypeError("x is not a function");
    const text = await print(error);
    expect(text).toMatch(
      /^error: strake has failed in a way that it should not: TypeError: x is not a function\nSorry/,
    );
    expect(text).not.toContain("    at ");
    expect(await print(error, { debug: true })).toContain("    at ");
  });

  it("lets no message drive the terminal", async () => {
    expect(await print(new StrakeError("X", "bad \u001b[2J\u0007 name"))).toBe("error: bad  name\n");
  });

  it("shows every error of several", async () => {
    const both = new AggregateError([new StrakeError("X", "one"), new StrakeError("X", "two")]);
    expect(await print(both)).toBe("error: one\nerror: two\n");
  });
});

describe("sourceExcerpt()", () => {
  const mark = (text: string): string => text;

  it("points at a part of a line", () => {
    const at = { file: "f", startLine: 1, startColumn: 6, endLine: 1, endColumn: 12 };
    expect(sourceExcerpt("COPY\t--fro=a b /\n", { ...at, startColumn: 6 }, mark)).toBe(
      [
        "--------------------",
        "   1 | >>> COPY\t--fro=a b /",
        "     |         \t^^^^^^",
        "--------------------",
        "",
      ].join("\n"),
    );
  });

  it("marks the lines of a span whose end is exclusive", () => {
    const at = { file: "f", startLine: 2, startColumn: 1, endLine: 4, endColumn: 1 };
    const marked = sourceExcerpt("1\n2\n3\n4\n5\n6\n", at, mark).match(/(?<=>>> ).*/g);
    expect(marked).toEqual(["2", "3"]);
  });

  it("cuts a long heredoc", () => {
    const text = Array.from({ length: 100 }, (_, line) => `line ${line + 1}`).join("\n");
    const at = { file: "f", startLine: 10, startColumn: 1, endLine: 90, endColumn: 5 };
    expect(sourceExcerpt(text, at, mark).split("\n")).toHaveLength(2 + 12 + 4 + 1);
  });

  it("says nothing for a line that the file does not have", () => {
    const at = { file: "f", startLine: 9, startColumn: 1, endLine: 9, endColumn: 5 };
    expect(sourceExcerpt("1\n", at, mark)).toBe("");
  });
});
