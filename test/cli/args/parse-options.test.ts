import { describe, expect, it } from "vitest";
import type { OptionTable } from "../../../src/cli/args/option-table.ts";
import { parseOptions } from "../../../src/cli/args/parse-options.ts";

const TABLE = {
  tag: { type: "list", short: "t", value: "NAME", summary: "Name" },
  file: { type: "string", short: "f", value: "FILE", summary: "File" },
  quiet: { type: "boolean", short: "q", summary: "Quiet" },
  push: { type: "boolean", summary: "Push" },
  secretive: { type: "boolean", hidden: true, summary: "Hidden" },
} as const satisfies OptionTable;

const NOTHING = { tag: [], file: undefined, quiet: false, push: false, secretive: false };

describe("parseOptions()", () => {
  it.each<[string[], object, string[]]>([
    [["--tag", "a", "."], { tag: ["a"] }, ["."]],
    [["--tag=a", "."], { tag: ["a"] }, ["."]],
    [["-t", "a", "."], { tag: ["a"] }, ["."]],
    [["-ta", "."], { tag: ["a"] }, ["."]],
    [["-t=a", "."], { tag: ["a"] }, ["."]],
    [["-ta=b"], { tag: ["a=b"] }, []],
    [["--tag=a=b"], { tag: ["a=b"] }, []],
    [["--tag="], { tag: [""] }, []],
    [["-t", "a", ".", "-t", "b"], { tag: ["a", "b"] }, ["."]],
    [["-f", "a", "-f", "b"], { file: "b" }, []],
    [["-f", "-", "-"], { file: "-" }, ["-"]],
    [["-:text/plain"], {}, ["-:text/plain"]],
    [["-f", "--quiet"], { file: "--quiet" }, []],
    [["-q"], { quiet: true }, []],
    [["--quiet"], { quiet: true }, []],
    [["--quiet=false"], { quiet: false }, []],
    [["--quiet=1", "--push=T"], { quiet: true, push: true }, []],
    [["-q=0"], { quiet: false }, []],
    [["-qt", "a"], { quiet: true, tag: ["a"] }, []],
    [["-qta"], { quiet: true, tag: ["a"] }, []],
    [["--push", "false"], { push: true }, ["false"]],
    [["--push", "--push=false"], { push: false }, []],
    [["--", "-q", "--tag"], {}, ["-q", "--tag"]],
    [["a", "--", "--"], {}, ["a", "--"]],
    [[""], {}, [""]],
    [["--secretive"], { secretive: true }, []],
  ])("reads %j", (argv, options, positionals) => {
    const parsed = parseOptions(TABLE, argv);
    const dashes = argv.indexOf("--");
    const beforeDashes = dashes < 0 ? undefined : dashes;
    expect(parsed).toEqual({ options: { ...NOTHING, ...options }, positionals, beforeDashes, help: false });
  });

  it.each<[string[], string, string | undefined]>([
    [["--tga", "x"], 'Unknown flag "--tga"', 'Did you mean "--tag"?'],
    [["-tag", "--pusch"], 'Unknown flag "--pusch"', 'Did you mean "--push"?'],
    [["--zzzzzz"], 'Unknown flag "--zzzzzz"', undefined],
    [["-x"], 'Unknown flag "-x"', undefined],
    [["-qush"], 'Unknown flag "-u" in "-qush"', 'Did you mean "--push"?'],
    [["--secretiv"], 'Unknown flag "--secretiv"', undefined],
    [["--constructor"], 'Unknown flag "--constructor"', undefined],
    [["--tag"], 'Flag "--tag" needs a value', "Give it as --tag NAME"],
    [["-t"], 'Flag "-t" needs a value', "Give it as -t NAME"],
    [["--push=maybe"], 'Flag "--push" is either true or false, not "maybe"', undefined],
  ])("refuses %j", (argv, message, hint) => {
    expect(() => parseOptions(TABLE, argv)).toThrow(
      expect.objectContaining({ code: "USAGE", message, hint }),
    );
  });

  it.each([[["--help"]], [["-h"]], [["-qh"]], [["--help", "--no-such-flag"]]])(
    "stops at help in %j",
    (argv) => {
      expect(parseOptions(TABLE, argv).help).toBe(true);
    },
  );
});
