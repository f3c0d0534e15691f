import { describe, expect, it } from "vitest";
import type { CommandContext } from "../../../src/cli/command.ts";
import { Asker, readSecretFromStdin } from "../../../src/cli/registry/ask.ts";
import { FakeOutput } from "../fake-output.ts";

/** A terminal at which these pieces are typed. */
function terminal(...typed: readonly string[]) {
  const stderr = new FakeOutput();
  const modes: boolean[] = [];
  const bytes = (async function* () {
    for (const piece of typed) yield Buffer.from(piece);
  })();
  const stdin: CommandContext["stdin"] = Object.assign(bytes, {
    isTTY: true,
    setRawMode: (isRaw: boolean) => modes.push(isRaw),
  });
  return { asker: new Asker({ stdin, stderr }), stderr, modes };
}

describe("Asker", () => {
  it("asks one thing after the other, also of what was typed ahead", async () => {
    const { asker, stderr, modes } = terminal("me\nsec", "ret\r");
    expect(await asker.ask("Name: ")).toBe("me");
    expect(modes).toEqual([]);
    expect(await asker.askSecret("Password: ")).toBe("secret");
    expect(modes).toEqual([true, false]);
    expect(stderr.text).toBe("Name: Password: \n");
  });

  it("lets a secret be corrected, by characters and not by bytes", async () => {
    expect(await terminal("no\u0015sé\u007f\u007fgut\b\bood\n").asker.askSecret("")).toBe("good");
  });

  it("ends with the terminal as it was on Ctrl-C", async () => {
    const { asker, modes } = terminal("sec\u0003");
    await expect(asker.askSecret("")).rejects.toMatchObject({ signalName: "SIGINT" });
    expect(modes).toEqual([true, false]);
  });

  it("takes what there is when the terminal goes away", async () => {
    const { asker } = terminal("half");
    expect(await asker.ask("")).toBe("half");
    expect(await asker.askSecret("")).toBe("");
  });
});

describe("readSecretFromStdin()", () => {
  const stdin = (text: string) =>
    Object.assign(
      (async function* () {
        yield Buffer.from(text);
      })(),
      { isTTY: false },
    );

  it("drops the last newline and nothing else", async () => {
    expect(await readSecretFromStdin(stdin(" a\nb \r\n"))).toBe(" a\nb ");
    expect(await readSecretFromStdin(stdin("a\n\n"))).toBe("a\n");
  });

  it("refuses what can be no password", async () => {
    await expect(readSecretFromStdin(stdin("x".repeat(70_000)))).rejects.toMatchObject({ code: "USAGE" });
  });
});
