import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { Interruption } from "../../src/cli/error.ts";
import { runCli } from "./run-cli.ts";

describe("strake", () => {
  it.each([["--version"], ["-v"]])("%s prints the version", async (flag) => {
    expect(await runCli([flag])).toMatchObject({ code: 0, stdout: "strake 0.0.0-dev\n", stderr: "" });
  });

  it.each([[["--help"]], [["-h"]], [["help"]]])("%j lists every command on standard output", async (argv) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const { name, summary } of COMMANDS) {
      expect(stdout).toMatch(
        new RegExp(`^ {2}${name} +${summary.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`, "m"),
      );
    }
  });

  it("without arguments shows the same on standard error and says that the command line is wrong", async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe((await runCli(["--help"])).stdout);
  });

  it.each([
    [["bulid"], 'error: Unknown command "bulid"\nhint: Did you mean "strake build"?\n'],
    [["frobnicate"], 'error: Unknown command "frobnicate"\nhint: strake --help lists the commands\n'],
    [["cache", "lss"], 'error: Unknown command "cache lss"\nhint: Did you mean "strake cache ls"?\n'],
    [
      ["--tag", "x"],
      'error: Unknown flag "--tag"\nhint: A command comes first: strake COMMAND [OPTIONS], see strake --help\n',
    ],
    [["images", "--jsn"], 'error: Unknown flag "--jsn"\nhint: Did you mean "--json"?\n'],
    [
      ["build"],
      'error: Command "build" needs 1 argument, got 0\nhint: Usage: strake build CONTEXT | - | URL; see strake build --help\n',
    ],
    [
      ["build", "a", "b"],
      'error: Command "build" takes 1 argument, but there is also "b"\nhint: Usage: strake build CONTEXT | - | URL; see strake build --help\n',
    ],
    [
      ["version", "x"],
      'error: Command "version" takes no arguments, but there is "x"\nhint: Usage: strake version; see strake version --help\n',
    ],
    [
      ["images", "a", "b"],
      'error: Command "images" takes at most 1 argument, but there is also "b"\nhint: Usage: strake images [REPOSITORY[:TAG]]; see strake images --help\n',
    ],
    [
      ["help", "build", "extra"],
      'error: Unknown command "build extra"\nhint: strake --help lists the commands\n',
    ],
    [
      ["login", "-u", "ci"],
      "error: Cannot ask for the password: standard input is no terminal\nhint: Give it with --password-stdin\n",
    ],
    [
      ["login"],
      "error: Cannot ask for the user name and password: standard input is no terminal\nhint: Give them as -u NAME --password-stdin\n",
    ],
  ])("%j is a wrong command line", async (argv, stderr) => {
    expect(await runCli(argv)).toMatchObject({ code: 2, stdout: "", stderr });
  });

  it("shows the commands below a first word", async () => {
    const asked = await runCli(["cache", "--help"]);
    expect(asked.code).toBe(0);
    expect(asked.stdout).toContain("cache ls");
    expect(asked.stdout).not.toContain("images");
    expect(await runCli(["cache"])).toMatchObject({ code: 2, stderr: asked.stdout });
    expect(await runCli(["help", "cache"])).toMatchObject({ code: 0, stdout: asked.stdout });
  });

  it.each(COMMANDS.map(({ name }) => [name]))("%s --help stays as it was", async (name) => {
    const { code, stdout } = await runCli([...name.split(" "), "--help"]);
    expect(code).toBe(0);
    await expect(stdout).toMatchFileSnapshot(`help/${name.replace(" ", "-")}.txt`);
    expect((await runCli(["help", ...name.split(" ")])).stdout).toBe(stdout);
  });

  it("wraps help to the terminal", async () => {
    const { stdout } = await runCli(["build", "--help"], { terminal: { columns: 64, rows: 20 } });
    const prose = stdout.split("\n").filter((line) => !/type=|strake build/.test(line));
    expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(64);
  });

  it("leaves with 128 and the signal's number when it is stopped", async () => {
    for (const [signalName, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const controller = new AbortController();
      const stdin = (async function* () {
        yield Buffer.from("FROM scratch\n");
        controller.abort(new Interruption(signalName));
        throw controller.signal.reason;
      })();
      const run = await runCli(["build", "-"], { stdin, signal: controller.signal });
      expect(run).toMatchObject({ code, stdout: "", stderr: `Stopped by ${signalName}\n` });
    }
  });
});
